"""Our own mails when everybody else is hostile: the octets of every kind of notice, over words that others chose."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest

from gateway.delivery.dsn import dsn_composers
from gateway.delivery.reply import clean
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.text import decode_header
from gateway.notices.compose import Composers
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.values import Recipient, Stored
from tests.memory_spool import NOON
from tests.notices.conftest import notice

INJECTED = "x\r\nBcc: evil@example.com\r\n\r\nbody"
WORDS = (
    INJECTED,
    f"=?utf-8?b?{b64encode(INJECTED.encode()).decode()}?=",
    "=?utf-8?q?x=0D=0ABcc:_evil=40example.com?=",
    "=?iso-2022-jp?b?GyRC?=",
    "\x1b[2J\x1b]0;owned\x07",
    "\u2028Bcc: evil@example.com\x85Bcc: evil@example.com",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "漢" * 3000,
    "x" * 5000,
    "\n.\r\n",
    "--=_Q1_7_dsn--",
    "%(subject)s {0} {{ 7*7 }}",
)
LOCALS = (
    "=?utf-8?q?=0D=0ABcc?=",
    "=?utf-8?b?DQpCY2M6?=",
    '"=?utf-8?q?=0D=0ABcc:_x?="',
    '"a \\" b"',
    "x" * 64,
)
STATE_OF = {
    NoticeKind.FAILED: State.BOUNCED,
    NoticeKind.DELAYED: State.DEFERRED,
    NoticeKind.HOLD: State.HELD,
    NoticeKind.CANCELLED: State.CANCELLED,
    NoticeKind.COPY: State.HELD,
}


def message(words: str, local: str, state: State) -> tuple[Stored, bytes]:
    """A mail in which everything that somebody else may choose is hostile."""
    sender, octets = parse_path(f"{local}@city.example.lg.jp"), words.encode()
    people = (parse_path(f"{local}@example.com"), parse_path("c@example.net"))
    raw = (
        b'From: "%b" <%b>\r\nTo: %b\r\nSubject: %b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'
        b'Content-Disposition: attachment; filename="%b"\r\n\r\nx\r\n--b--\r\n'
    ) % (octets, str(sender).encode(), str(people[0]).encode(), octets, octets)
    reply = clean(b"550 5.1.1 " + octets + b"\xff")
    rows = tuple(Recipient(n, each, True, state, NOON, 2, reply, NOON) for n, each in enumerate(people))
    outcome = Outcome(True, Demands(window=timedelta(minutes=10), form=Form.BCC))
    decision = Decision("d", (outcome,), (0, 0), internal=("city.example.lg.jp",))
    stored = Stored(
        queue_id="Q1",
        envelope=Envelope(sender, people, Client("192.0.2.1")),
        decision=decision,
        received_at=NOON,
        subject=decode_header(octets),
        size_bytes=len(raw),
        from_gateway=False,
        recipients=rows,
    )
    return stored, raw


@pytest.mark.parametrize("kind", STATE_OF)
@pytest.mark.parametrize("local", LOCALS)
def test_nobody_writes_into_our_header_section(composers: Composers, kind: NoticeKind, local: str) -> None:
    known = {
        **composers.by_kind(),
        **dsn_composers("gw.example.jp", "sekisho@gw.example.jp", "関所", timedelta(days=5)),
    }
    for words in WORDS:
        stored, raw = message(words, local, STATE_OF[kind])
        row = replace(notice(kind, to=str(stored.envelope.sender), recipients=(0, 1)), actor=words)
        octets = known[kind](stored, row, raw)
        assert octets is not None
        assert octets.isascii(), words
        assert re.search(rb"\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", plain(octets)) is None, (
            words
        )
        assert max(map(len, octets.split(b"\r\n"))) <= 998
        names = field_names(octets)
        assert "bcc" not in names
        assert len(names) == len(set(names))
        read = message_from_bytes(octets)
        assert not [part.defects for part in read.walk() if part.defects]
        assert len(read.get_payload()) in (2, 3), "no word ends a part or begins one"


def plain(octets: bytes) -> bytes:
    """Leave out the header section that is returned: it is the sender's own, which the reception let in."""
    return octets.partition(b"Content-Type: text/rfc822-headers")[0]


def field_names(octets: bytes) -> list[str]:
    lines = octets.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line.partition(b":")[0].decode().lower() for line in lines if line[:1] not in b" \t"]
