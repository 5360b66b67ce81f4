"""What the note in a mail says about its files, in both languages, and what it never says."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.policy.handling import Attached
from gateway.policy.protection import How, Way
from gateway.release.sealed_note import MAX_NAMES, About, Note, note_of
from gateway.transform.view import Keyed, Variant

TOKYO = ZoneInfo("Asia/Tokyo")
UNTIL = datetime(2026, 12, 5, 0, 0, tzinfo=UTC)
URL = "https://gw.example.jp/d/WyJRMSIsMF0.abc"
FILES = [
    Attached(2, "名簿.xlsx", "xlsx", 10, "plain"),
    Attached(3, "plan.pdf", "pdf", 10, "plain"),
    Attached(4, "tool.exe", "exe", 10, "plain"),
]


def note(*forms: tuple[int, How], way: Way | None = Way.SENDER, hide_names: bool = False) -> Note:
    shares = any(how is How.LINK for _, how in forms)
    variant = Variant(
        forms,
        needs_key=way is not None,
        keyed=Keyed("k", way),
        recipient=0 if shares else None,
        hide_names=hide_names,
    )
    return note_of(About(variant, FILES, URL if shares else "", UNTIL if shares else None), TOKYO)


def test_it_says_what_was_done_with_each_file() -> None:
    text = note((2, How.ZIP_AES256), (3, How.LINK), (4, How.BLOCK)).text
    lines = text.splitlines()
    assert next(line for line in lines if "名簿.xlsx" in line).startswith("暗号化してあり")
    assert next(line for line in lines if "plan.pdf" in line).startswith("次のページから 12月5日(土) 09:00")
    assert next(line for line in lines if "tool.exe" in line).startswith("送信元の組織")
    assert lines.count(URL) == 2
    assert text.index("暗号化してあり") < text.index("Encrypted, to be opened with a key: 名簿.xlsx")


def test_what_was_not_done_is_not_mentioned() -> None:
    text = note((2, How.NATIVE)).text
    assert "plan.pdf" not in text
    assert "page" not in text
    assert "Not sent" not in text


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (Way.SENDER, "telephone"),
        (Way.SMS, "short message"),
        (Way.PREAGREED, "agreed on with you before"),
        (Way.SECOND_MAIL, "a mail of its own"),
    ],
)
def test_it_says_how_the_key_comes(way: Way, says: str) -> None:
    assert says in note((2, How.ZIP_AES256), way=way).text
    assert says in note((2, How.LINK), way=way).text


def test_a_page_that_asks_for_the_key_is_said_to_and_the_way_is_said_once() -> None:
    both = note((2, How.ZIP_AES256), (3, How.LINK)).text
    assert "It asks for the key as well." in both
    assert both.count("such as the telephone") == 1
    assert note((3, How.LINK)).text.count("such as the telephone") == 1


def test_a_link_without_a_key_speaks_of_no_key() -> None:
    text = note((2, How.LINK), way=None).text
    assert "key" not in text
    assert "鍵" not in text
    assert "code" in text


def test_hidden_names_are_not_named() -> None:
    text = note((2, How.ZIP_AES256), (4, How.BLOCK), hide_names=True).text
    assert not any(each.name in text for each in FILES)
    assert "1 個のファイル" in text
    assert "1 file" in text


def test_html_is_escaped_and_the_link_is_one() -> None:
    variant = Variant(((2, How.LINK),), recipient=0)
    html = note_of(About(variant, [Attached(2, "<script>.html", "html", 1, "plain")], URL, UNTIL), TOKYO).html
    assert "<script>" not in html
    assert html.count(f'<a href="{URL}">') == 2


def test_names_of_strangers_do_not_lay_out_the_note() -> None:
    variant = Variant(((2, How.BLOCK),))
    text = note_of(
        About(variant, [Attached(2, "a\r\n\r\nhttps://evil.example/\u202e", "", 1, "plain")]), TOKYO
    ).text
    assert "\r\n\r\n" not in text
    assert not any(line.startswith("https://evil") for line in text.splitlines())
    assert "\u202e" not in text


def test_many_files_are_counted() -> None:
    files = [Attached(n, f"file{n}.txt", "text", 1, "plain") for n in range(MAX_NAMES + 5)]
    variant = Variant(tuple((n, How.BLOCK) for n in range(MAX_NAMES + 5)))
    text = note_of(About(variant, files), TOKYO).text
    assert "ほか 5 個" in text
    assert "5 more files" in text
    assert f"file{MAX_NAMES}.txt" not in text
