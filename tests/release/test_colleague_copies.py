"""The link that lets a colleague stop a mail stands in their own copy and in no other: looked for in every octet."""

from __future__ import annotations

import itertools
from datetime import timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.links import Links
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.colleagues import IN_COPIES, colleagues_of
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.receive.colleagues import told_colleagues
from gateway.release.variants import Variants
from gateway.spool.values import Stored
from gateway.transform.render import prepare, render
from gateway.transform.view import view_of
from tests.memory_spool import NOON

LINKS = Links(
    b"a secret of at least 32 octets, for tests", "https://gw.example.jp", timedelta(days=7), lambda: NOON
)
VARIANTS = Variants(None, None, LINKS, None, ZoneInfo("Asia/Tokyo"))  # type: ignore[arg-type]
HEAD = b"From: <clerk@sports.example.jp>\r\nTo: <a@sports.example.jp>, <p@example.com>\r\nSubject: x\r\n"
PLAIN = HEAD + b"\r\nHello.\r\n"
JAPANESE = (
    HEAD
    + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    + "こんにちは。\r\n".encode("iso-2022-jp")
)
HTML = (
    HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8u\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Hello.</p></body></html>\r\n--b--\r\n"
)
SIGNED = (
    HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pgp-signature";'
    b' micalg=pgp-sha256; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b\r\n'
    b"Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
)
HELD = Outcome(True, Demands(window=timedelta(minutes=10)))
FORMS = [
    HELD,
    Outcome(True, Demands(window=timedelta(minutes=10), form=Form.INDIVIDUAL)),
    Outcome(True, Demands()),
    Outcome(False, Demands()),
    Outcome(False, Demands(window=timedelta(minutes=5))),
]


def mail_of(*outcomes: Outcome, copied: int = 0) -> Stored:
    people = tuple(
        Address(f"r{index}", "example.com" if each.external else "sports.example.jp")
        for index, each in enumerate(outcomes)
    )
    envelope = Envelope(
        Address("clerk", "sports.example.jp"), people, Client("127.0.0.1", "pc", "clerk", True)
    )
    kinds = tuple(dict.fromkeys(outcomes))
    assigned = tuple(map(kinds.index, outcomes))
    decision = Decision(
        "d", kinds, assigned, copied=copied, colleagues_may_stop=True, internal=("sports.example.jp",)
    )
    return Stored("Q1", envelope, decision, NOON, "x", 9, False, ())


def copies(message: Stored, raw: bytes) -> list[bytes]:
    """Return what every recipient gets: the octets, and behind them all text of them decoded."""
    decision = VARIANTS.decision_of(message)
    original = prepare(raw, message.envelope, decision, "Q1", NOON, "gw.example.jp")
    made = []
    for index, address in enumerate(message.envelope.recipients):
        octets = render(original, view_of(decision, index, address)).to_bytes()
        parts = message_from_bytes(octets, policy=policy.default).walk()
        texts = [part.get_content() for part in parts if part.get_content_maintype() == "text"]
        made.append(octets + "".join(texts).encode())
    return made


@settings(deadline=None)
@given(
    st.sampled_from([PLAIN, JAPANESE, HTML, SIGNED]),
    st.lists(st.sampled_from(FORMS), min_size=1, max_size=6),
    st.integers(0, 1),
)
def test_nobody_but_a_colleague_ever_gets_a_link_and_each_their_own(
    raw: bytes, outcomes: list[Outcome], copied: int
) -> None:
    message = mail_of(*outcomes, copied=min(copied, len(outcomes)))
    people = colleagues_of(message.decision, message.envelope)
    for index, octets in enumerate(copies(message, raw)):
        token = LINKS.colleague_url("Q1", index).encode()
        if index in people and raw is not SIGNED:
            assert token in octets
            others = [
                LINKS.colleague_url("Q1", other).encode() for other in range(len(outcomes)) if other != index
            ]
            assert not any(other in octets for other in others)
        else:
            assert b"/c/" not in octets


@pytest.mark.parametrize("raw", [PLAIN, JAPANESE, HTML])
def test_a_copy_says_it_in_both_languages(raw: bytes) -> None:
    _, inside = copies(mail_of(HELD, Outcome(False, Demands())), raw)
    assert "保留されています".encode() in inside
    assert b"you can stop it on this page" in inside


def test_a_signed_mail_leaves_as_it_came_and_its_colleagues_get_a_letter() -> None:
    message = mail_of(HELD, Outcome(False, Demands()))
    assert told_colleagues(message.decision, message.envelope, SIGNED).colleagues_by_letter
    assert not told_colleagues(message.decision, message.envelope, HTML).colleagues_by_letter
    assert copies(message, SIGNED)[1].endswith(SIGNED[SIGNED.index(b"\r\n\r\n") :] + b"Hello.")


def test_a_mail_that_is_too_large_for_so_many_copies_is_told_of_in_letters() -> None:
    message = mail_of(HELD, *itertools.repeat(Outcome(False, Demands()), 40))
    large = PLAIN + b"x" * 70 + b"\r\n"
    assert not told_colleagues(message.decision, message.envelope, large).colleagues_by_letter
    larger = PLAIN + b"xxxxxxxx\r\n" * (IN_COPIES // 40 // 10)
    assert told_colleagues(message.decision, message.envelope, larger).colleagues_by_letter


def test_where_nobody_may_stop_it_nothing_is_tried() -> None:
    message = mail_of(HELD)
    assert told_colleagues(message.decision, message.envelope, SIGNED) == message.decision
    assert VARIANTS.decision_of(message) == message.decision
