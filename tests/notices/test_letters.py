"""The notices as mail: what they say in both languages and both parts, and what they must never carry."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.languages import shown
from gateway.links import Claim, Links
from gateway.message.address import AddressError, parse_path
from gateway.notices.compose import Composers
from gateway.notices.letter import Letter, to_octets
from gateway.notices.summary import SHOWN_RECIPIENTS, shares
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands, Form, Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from tests.memory_spool import NOON, SENDER, WINDOW, MemorySpool, decision_for, hold
from tests.notices.conftest import AUTHOR, notice, read_back, text

OUT = ("sato@example.com", "suzuki@example.net")
PARTS = ("plain", "html")


def test_the_header_fields(spool: MemorySpool, composers: Composers) -> None:
    mail = read_back(composers.hold(hold(spool, "Q1", OUT), notice(), spool.bodies["Q1"]))
    assert mail["Subject"] == "【送信保留】テニス教室のお知らせ"
    assert mail["From"].addresses[0].display_name == "Sekisho 関所"
    assert mail["To"].addresses[0].addr_spec == SENDER
    assert parsedate_to_datetime(mail["Date"]) == NOON
    assert mail["Message-ID"] == "<Q1.hold.7@mx.sports.example.jp>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Sekisho-Notice"] == "hold; about=Q1"
    assert mail["Content-Language"] == "ja"
    assert mail["Precedence"] is None
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("part", PARTS)
def test_a_hold_tells_everything_a_sender_needs(
    spool: MemorySpool, composers: Composers, links: Links, part: str
) -> None:
    message = hold(spool, "Q1", OUT, ["boss@sports.example.jp"])
    said = text(read_back(composers.hold(message, notice(), spool.bodies["Q1"])), part)
    for expected in (
        "何もしなければ、11月20日(金) 12:10 に送信します。",
        "日本時間",
        *OUT,
        "boss@sports.example.jp",
        "外部",
        "内部",
        "11月20日(金) 12:10 に送信",
        "保留せずに送信",
        "受信者どうしのアドレスは見えません。",
        f"受信者に見える宛先(To): {SENDER}",
        "名簿.csv (26 B)",
        "外部の宛先が2件以上見えます",
        links.url("Q1", SENDER),
    ):
        assert expected in said


@pytest.mark.parametrize("part", PARTS)
def test_in_english(spool: MemorySpool, composers: Composers, part: str) -> None:
    message = hold(spool, "Q1", OUT, decision=decision_for((0, 0), language=Language.EN))
    mail = read_back(composers.hold(message, notice(), spool.bodies["Q1"]))
    assert mail["Subject"] == "[Held] テニス教室のお知らせ"
    assert "If you do nothing, it is sent at Fri 20 Nov, 12:10." in text(mail, part)
    assert "two or more external recipients are visible" in text(mail, part)


def test_the_link_is_for_this_message_and_this_person(
    spool: MemorySpool, composers: Composers, links: Links
) -> None:
    said = text(read_back(composers.hold(hold(spool, "Q1", OUT), notice(), None)))
    (url,) = [word for word in said.split() if word.startswith("https://")]
    assert links.read(url.rpartition("/m/")[2]) == Claim("Q1", SENDER)


def test_individual_copies_are_one_group(spool: MemorySpool, composers: Composers) -> None:
    each = Outcome(True, Demands(window=WINDOW, form=Form.INDIVIDUAL))
    message = hold(spool, "Q1", OUT, decision=decision_for((0, 0), (each,)))
    said = text(read_back(composers.hold(message, notice(), spool.bodies["Q1"])))
    assert "1件ずつ個別に送信します。" in said
    assert said.count("宛先(To)に見えるのは、受信者本人のアドレスだけです。") == 1


@pytest.mark.parametrize("kind", [NoticeKind.HOLD, NoticeKind.CANCELLED, NoticeKind.COPY])
@pytest.mark.parametrize("part", PARTS)
def test_no_content_leaks(spool: MemorySpool, composers: Composers, kind: NoticeKind, part: str) -> None:
    hold(spool, "Q1", OUT)
    if kind is NoticeKind.CANCELLED:
        spool.set_state("Q1", 0, State.CANCELLED)
    compose = composers.by_kind()[kind]
    octets = compose(spool.messages["Q1"], notice(kind, recipients=(0,)), spool.bodies["Q1"])
    assert "SECRET-OF" not in text(read_back(octets), part)


@pytest.mark.parametrize("part", PARTS)
def test_an_unreadable_original_is_said(spool: MemorySpool, composers: Composers, part: str) -> None:
    said = text(read_back(composers.hold(hold(spool, "Q1", OUT), notice(), None)), part)
    assert "元のメールを読み出せないため" in said
    assert OUT[0] in said


@pytest.mark.parametrize("part", PARTS)
def test_a_long_list_is_cut_and_counted(spool: MemorySpool, composers: Composers, part: str) -> None:
    message = hold(spool, "Q1", [f"citizen-{n}@example.com" for n in range(1000)], ["boss@sports.example.jp"])
    said = text(read_back(composers.hold(message, notice(), spool.bodies["Q1"])), part)
    assert "宛先 1001件" in said
    assert f"ほか {1001 - SHOWN_RECIPIENTS}件" in said
    assert "boss@sports.example.jp" in said


@settings(deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=10), st.integers(10, 200))
def test_shares_use_the_bound_and_forget_nobody(counts: list[int], bound: int) -> None:
    out = shares(counts, bound)
    assert sum(out) == min(sum(counts), bound)
    assert all(1 <= share <= count for share, count in zip(out, counts, strict=True))


def test_a_hold_notice_that_comes_too_late_is_not_written(spool: MemorySpool, composers: Composers) -> None:
    hold(spool, "Q1", OUT)
    for index in range(2):
        spool.set_state("Q1", index, State.DELIVERED)
    assert composers.hold(spool.messages["Q1"], notice(), spool.bodies["Q1"]) is None


@pytest.mark.parametrize("part", PARTS)
def test_a_cancellation_tells_who_was_stopped_and_when(
    spool: MemorySpool, composers: Composers, part: str
) -> None:
    hold(spool, "Q1", OUT)
    spool.set_state("Q1", 1, State.CANCELLED, NOON.replace(minute=4))
    asked = notice(NoticeKind.CANCELLED, recipients=(0, 1))
    mail = read_back(composers.cancelled(spool.messages["Q1"], asked, spool.bodies["Q1"]))
    assert mail["Subject"].startswith("【送信取消】")
    said = text(mail, part)
    assert "1件の宛先について取り消しました" in said
    assert "取り消した日時: 11月20日(金) 12:04" in said
    assert OUT[1] in said
    assert OUT[0] not in said


@pytest.mark.parametrize("part", PARTS)
def test_a_cancellation_names_who_did_it_and_who_may_have_it(
    spool: MemorySpool, composers: Composers, part: str
) -> None:
    hold(spool, "Q1", OUT)
    spool.no_answer("Q1", 0)
    for index in (0, 1):
        spool.set_state("Q1", index, State.CANCELLED)
    asked = replace(notice(NoticeKind.CANCELLED, recipients=(0, 1)), actor="sasaki")
    mail = read_back(composers.cancelled(spool.messages["Q1"], asked, spool.bodies["Q1"]))
    assert "届いている可能性あり" in mail["Subject"]
    said = text(mail, part)
    assert "システム管理者(sasaki)が" in said
    assert "このうち 1件は、すでに届いている可能性があります" in said
    assert f"{OUT[0]} - すでに届いている可能性があります" in said
    assert f"{OUT[1]} - " not in said
    assert "下記の宛先には送信していません" not in said


def test_a_cancellation_of_nothing_is_not_written(spool: MemorySpool, composers: Composers) -> None:
    message = hold(spool, "Q1", OUT)
    assert composers.cancelled(message, notice(NoticeKind.CANCELLED, recipients=(0,)), None) is None


@pytest.mark.parametrize("part", PARTS)
def test_a_copy_tells_facts_and_gives_no_link(spool: MemorySpool, composers: Composers, part: str) -> None:
    message = hold(spool, "Q1", OUT)
    asked = notice(NoticeKind.COPY, to="privacy@city.example.lg.jp")
    said = text(read_back(composers.copy(message, asked, spool.bodies["Q1"])), part)
    assert OUT[0] in said
    assert "名簿.csv" in said
    assert "https://" not in said


@pytest.mark.parametrize("to", ["stranger@example.com", "x@evil-sports.example.jp", "x%y@sports.example.jp"])
def test_a_copy_never_goes_outside(spool: MemorySpool, composers: Composers, to: str) -> None:
    message = hold(spool, "Q1", OUT)
    assert composers.copy(message, notice(NoticeKind.COPY, to=to), None) is None


def test_an_address_that_is_none_is_an_error(spool: MemorySpool, composers: Composers) -> None:
    with pytest.raises(AddressError):
        composers.copy(hold(spool, "Q1", OUT), notice(NoticeKind.COPY, to="nobody"), None)


HOSTILE = [
    "x\r\nBcc: evil@example.com",
    "x\n\n<html>",
    "x\u2028y\u0085z",
    "\u202egnp.exe",
    "\ud800broken",
    "%(num)s %s {x} {{ 7*7 }} {% raw %}",
    "<script>alert(1)</script>",
    "=?utf-8?q?=0D=0ABcc:_evil?=",
    "=_Q1.7--",
    "\x00\x1b[2J",
    "",
    "あ" * 5000,
]


@pytest.mark.parametrize("subject", HOSTILE)
@pytest.mark.parametrize("language", list(Language))
def test_a_hostile_subject_stays_a_subject(
    spool: MemorySpool, composers: Composers, subject: str, language: Language
) -> None:
    message = replace(
        hold(spool, "Q1", OUT, decision=decision_for((0, 0), language=language)), subject=subject
    )
    mail = read_back(composers.hold(message, notice(), spool.bodies["Q1"]))
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) < 300
    assert len(list(mail.iter_parts())) == 2
    assert "<script>" not in text(mail, "html")
    assert "\u202e" not in text(mail) + text(mail, "html") + mail["Subject"]
    assert "49" not in text(mail, "html").partition("<table")[2].partition("</tr>")[0]


@settings(deadline=None)
@given(st.text())
def test_any_subject_makes_a_mail(subject: str) -> None:
    letter = Letter("hold", "Q1", 1, "ja", shown(subject, 200), "text\n", "<p>text</p>\n")
    mail = read_back(to_octets(letter, AUTHOR, parse_path(SENDER), NOON))
    assert set(mail.keys()) >= {"Subject", "To", "From", "Date", "Message-ID"}
    assert "Bcc" not in mail


def test_the_same_notice_is_the_same_octets(spool: MemorySpool, composers: Composers) -> None:
    message = hold(spool, "Q1", OUT)
    first, second = (composers.hold(message, notice(), spool.bodies["Q1"]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("to", [SENDER, '"a b"@sports.example.jp', "x" * 64 + "@[192.0.2.1]"])
def test_the_address_is_written_as_it_is(to: str) -> None:
    letter = Letter("hold", "Q1", 1, "ja", "件名", "text\n", "<p>text</p>\n")
    octets = to_octets(letter, AUTHOR, parse_path(to), NOON)
    assert f"To: <{to}>\r\n".encode() in octets


def test_an_address_that_looks_like_an_encoded_word_adds_no_field() -> None:
    to = parse_path("=?utf-8?q?=0D=0ABcc?=@example.com")
    letter = Letter("hold", "Q1", 1, "ja", "件名", "text\n", "<p>text</p>\n")
    octets = to_octets(letter, AUTHOR, to, NOON)
    assert b"\r\nTo: <=?utf-8?q?=0D=0ABcc?=@example.com>\r\nSubject: " in octets
    assert b"\nBcc" not in octets


def test_an_international_address_stands_as_utf_8() -> None:
    letter = Letter("hold", "Q1", 1, "ja", "件名", "text\n", "<p>text</p>\n")
    assert "To: <山田@example.jp>\r\n".encode() in to_octets(
        letter, AUTHOR, parse_path("山田@example.jp"), NOON
    )


@pytest.mark.parametrize("name", ["Sekisho", "関所", 'Mail "gate", city', "=?utf-8?q?x?=", ""])
def test_any_name_of_the_author_can_be_written(name: str) -> None:
    letter = Letter("hold", "Q1", 1, "en", "x", "text\n", "<p>text</p>\n")
    mail = read_back(to_octets(letter, replace(AUTHOR, name=name), parse_path(SENDER), NOON))
    assert mail["From"].addresses[0].addr_spec == AUTHOR.address


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_the_parts_come_back_as_they_were_written(said: str) -> None:
    letter = Letter("hold", "Q1", 1, "ja", "x", said, f"<p>{said}</p>")
    octets = to_octets(letter, AUTHOR, parse_path(SENDER), NOON)
    mail = read_back(octets)
    assert text(mail).split() == said.split()
    assert len(list(mail.iter_parts())) == 2
    assert max(map(len, octets.split(b"\r\n"))) <= 78
