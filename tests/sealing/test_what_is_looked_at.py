"""From the octets to what becomes of them: no mail that may hold a file is taken for a letter before anybody looked at it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.handle import with_handling
from gateway.policy.load import load_policy
from gateway.policy.protection import Way
from gateway.sealing.looking import seen_in
from tests.evidence.content.making import letter, part
from tests.sealing.making import PDF
from tests.sealing.test_looking import SIGNATURE, related, signed

POLICY = load_policy(
    {
        "p.yaml": """\
version: 1
organisation: {name: x, internal: [example.jp]}
rules:
  - {id: seal, reason: why, when: {external: {at_least: 1}}, then: {attachments: native}}
"""
    }
)
NOON = datetime(2026, 11, 21, 3, tzinfo=UTC)


def handled(raw: bytes) -> Decision:
    envelope = Envelope(
        parse_path("clerk@example.jp"), (parse_path("ana@example.com"),), Client("192.0.2.1", account="clerk")
    )
    decision = decide(gather(envelope, raw), POLICY, NOON)
    return (
        with_handling(decision, seen_in(raw), lambda _: frozenset({Way.SENDER}))
        if decision.protects
        else decision
    )


def named_container() -> bytes:
    inner = b"--i\r\n\r\nhello\r\n--i--"
    head = b'--b\r\nContent-Type: multipart/mixed; boundary="i"; name=a.doc\r\n\r\n'
    return letter(head + inner + b"\r\n--b--\r\n", 'multipart/mixed; boundary="b"')


def called_a_picture(octets: bytes) -> bytes:
    picture = part("a.png", octets, "image/png").replace(b"attachment", b"inline")
    picture = picture.replace(b"\r\n\r\n", b"\r\nContent-ID: <a>\r\n\r\n", 1)
    html = b"--b\r\nContent-Type: text/html\r\n\r\n<img src=cid:a>\r\n--b\r\n"
    return letter(html + picture + b"--b--\r\n", 'multipart/related; boundary="b"')


@pytest.mark.parametrize(
    "raw",
    [
        called_a_picture(PDF),
        signed(PDF),
        named_container(),
        letter(b"hello\r\n=ybegin line=128 size=9 name=a.doc\r\nxyz\r\n"),
    ],
    ids=["picture", "signature", "container", "yenc"],
)
def test_what_is_not_what_it_is_called_is_held_although_there_is_no_other_file(raw: bytes) -> None:
    handling = handled(raw).of(0).handling
    assert handling is not None
    assert handling.obstacle == "unclear"


def test_a_picture_beside_the_text_alone_is_sealed() -> None:
    handling = handled(related(b"<p>see the scan</p>")).of(0).handling
    assert handling is not None
    assert handling.forms
    assert handling.is_complete


@pytest.mark.parametrize(
    "raw", [letter(b"hello"), signed(SIGNATURE), called_a_picture(b"\x89PNG\r\n\x1a\n" + bytes(60))]
)
def test_letters_signatures_and_pictures_in_the_text_leave_as_they_are(raw: bytes) -> None:
    assert handled(raw).of(0).handling is None
