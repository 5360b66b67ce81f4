"""One letter about many held mails: each with its own link, nothing hidden, nothing that others chose obeyed."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.links import Claim, Links
from gateway.notices.bursts import LISTED
from gateway.notices.compose import Composers
from gateway.notices.held_mail import HeldMail, escaped
from gateway.policy.demands import Language
from gateway.spool.glance import ADDRESSES
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice
from gateway.spool.values import Stored
from tests.memory_spool import NOON, SENDER, MemorySpool, decision_for, glance_of, hold
from tests.notices.conftest import notice, read_back, text
from tests.notices.test_hostile import LOCALS, WORDS, field_names
from tests.notices.test_hostile import message as hostile

PARTS = ("plain", "html")


def letter(composers: Composers, messages: list[Stored], first: Notice | None = None) -> bytes:
    asked = first or notice(queue_id=messages[0].queue_id)
    lines = [composers.line(glance_of(message), asked) for message in messages]
    return composers.holds(glance_of(messages[0]), asked, [line for line in lines if line is not None])


def held(spool: MemorySpool, count: int, language: Language = Language.JA) -> list[Stored]:
    return [
        hold(
            spool,
            f"Q{number}",
            [f"citizen-{number}@example.com"],
            subject=f"お知らせ {number}",
            decision=decision_for((0,), language=language),
        )
        for number in range(1, count + 1)
    ]


def test_the_header_fields(spool: MemorySpool, composers: Composers) -> None:
    mail = read_back(letter(composers, held(spool, 12)))
    assert mail["Subject"] == "【送信保留】メール12件"
    assert mail["To"].addresses[0].addr_spec == SENDER
    assert mail["Message-ID"] == "<Q1.hold.7@mx.sports.example.jp>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Sekisho-Notice"] == "hold; about=Q1; mails=12"
    assert mail["Content-Language"] == "ja"


def test_what_belongs_to_a_mail_is_set_in_below_its_number(spool: MemorySpool, composers: Composers) -> None:
    said = text(read_back(letter(composers, held(spool, 1))), "plain").replace("\r\n", "\n")
    below = said.partition("1. お知らせ 1\n")[2].partition("\n\n")[0]
    assert [line[:2] for line in below.split("\n")] == ["  "] * 5


@pytest.mark.parametrize("part", PARTS)
def test_every_mail_stands_in_it_with_its_link(
    spool: MemorySpool, composers: Composers, links: Links, part: str
) -> None:
    messages = held(spool, LISTED)
    said = text(read_back(letter(composers, messages)), part)
    assert f"{LISTED}件のメールの送信を保留しています。" in said
    assert "最初の送信は 11月20日(金) 12:10(日本時間)です。" in said
    urls = re.findall(r"https://[^\s\"<]+", said)
    assert [links.read(url.rpartition("/m/")[2]) for url in urls] == [
        Claim(message.queue_id, SENDER) for message in messages
    ]
    for number, message in enumerate(messages, 1):
        assert f"{number}. お知らせ {number}\n" in said.replace("</b><br>", "").replace("\r\n", "\n")
        assert f"citizen-{number}@example.com" in said
        assert message.queue_id in said


@pytest.mark.parametrize("part", PARTS)
def test_in_english(spool: MemorySpool, composers: Composers, part: str) -> None:
    mail = read_back(letter(composers, held(spool, 2, Language.EN)))
    assert mail["Subject"] == "[Held] 2 mails"
    said = text(mail, part)
    assert "2 mails are being held before they are sent." in said
    assert "the first at Fri 20 Nov, 12:10 (" in said


@pytest.mark.parametrize("part", PARTS)
def test_recipients_beyond_a_few_are_counted(spool: MemorySpool, composers: Composers, part: str) -> None:
    outside = [f"citizen-{number}@example.com" for number in range(40)]
    both = [hold(spool, "Q1", outside, ["boss@sports.example.jp"]), hold(spool, "Q2", outside)]
    said = text(read_back(letter(composers, both)), part)
    assert f"ほか {40 - ADDRESSES}件" in said
    assert "宛先 41件 (うち保留中 40件)" in said
    assert "宛先 40件" in said
    assert "boss@sports.example.jp" not in said, "she is not held"


def test_a_mail_of_which_nothing_is_held_is_left_out(spool: MemorySpool, composers: Composers) -> None:
    hold(spool, "Q1", ["a@example.com", "b@example.com"])
    spool.set_state("Q1", 0, State.CANCELLED)
    line = composers.line(glance_of(spool.messages["Q1"]), notice())
    assert line is not None
    assert (line.held, line.total, line.to) == (1, 2, "b@example.com")
    spool.set_state("Q1", 1, State.QUEUED)
    assert composers.line(glance_of(spool.messages["Q1"]), notice()) is None


@pytest.mark.parametrize("local", LOCALS)
def test_nobody_writes_into_our_header_section(composers: Composers, local: str) -> None:
    messages = [
        replace(hostile(words, local, State.HELD)[0], queue_id=f"Q{n}") for n, words in enumerate(WORDS)
    ]
    first = notice(queue_id="Q0", to=str(messages[0].envelope.sender))
    octets = letter(composers, messages, first)
    assert octets.isascii()
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", octets) is None
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    names = field_names(octets)
    assert "bcc" not in names
    assert len(names) == len(set(names))
    read = message_from_bytes(octets)
    assert not [part.defects for part in read.walk() if part.defects]
    *_, html = read.walk()
    shown = html.get_payload(decode=True)
    assert isinstance(shown, bytes)
    assert shown.count(b"<a href=") == len(messages)


def test_markup_in_a_subject_is_text(spool: MemorySpool, composers: Composers) -> None:
    bad = '"><script>alert(1)</script><a href="https://evil.example.com/">'
    messages = [hold(spool, f"Q{number}", ["a@example.com"], subject=bad) for number in range(2)]
    html = text(read_back(letter(composers, messages)), "html")
    assert "<script" not in html
    assert 'href="https://evil' not in html


_ANY = st.text(st.characters(blacklist_characters="\0")) | st.sampled_from(["", "<b>&amp;", "'\"", "\u2028"])
_MAILS = st.lists(
    st.builds(HeldMail, _ANY, _ANY, _ANY, _ANY, *[st.integers()] * 4, st.just(NOON), _ANY, _ANY), min_size=1
)


@given(_MAILS)
def test_escaped_all_at_once_is_escaped_one_by_one(mails: list[HeldMail]) -> None:
    one_by_one = [
        HeldMail._make(escape(value) if isinstance(value, str) else value for value in mail) for mail in mails
    ]
    assert escaped(mails) == one_by_one
    assert all(type(value) is str for mail in escaped(mails) for value in (mail.subject, mail.to, mail.url))


def test_a_text_with_a_nul_makes_no_letter(spool: MemorySpool, composers: Composers) -> None:
    """It would move the texts behind it to other mails; `shown` lets none through."""
    lines = [composers.line(glance_of(message), notice()) for message in held(spool, 2)]
    told = [line for line in lines if line is not None]
    with pytest.raises(ValueError, match="zip"):
        escaped([told[0]._replace(subject="a\0b"), told[1]])
    nul = hold(spool, "Q3", ["a@example.com"], subject="a\0b", raw=b"")
    line = composers.line(glance_of(nul), notice())
    assert line is not None
    assert "\0" not in "".join(escaped([line])[0].subject)


def test_webmail_shows_a_full_letter_to_its_end(spool: MemorySpool, composers: Composers) -> None:
    """What is longer than 102 KB is cut off there, links and all."""
    html = text(read_back(letter(composers, held(spool, LISTED))), "html")
    assert len(html.encode()) < 102_000


def test_it_is_bounded(spool: MemorySpool, composers: Composers) -> None:
    address = f"{'x' * 64}@{'y' * 60}.{'z' * 60}.example.com"
    messages = [
        hold(spool, f"Q{number}", [address] * 10, subject="漢" * 5000, raw=b"") for number in range(LISTED)
    ]
    assert len(letter(composers, messages)) < 1 << 20
    assert all(isinstance(composers.line(glance_of(message), notice()), HeldMail) for message in messages)
