"""A whole SMTP session in memory, its octets cut into chunks at will.

The first octet says how the rest is cut, and whether an envelope is said before it. Laws: the session ends; replies are well
formed and never an inner error; what is taken has no bare CR, LF or NUL and was ended by the client; and how the octets were
cut changes nothing.
"""

from __future__ import annotations

import asyncio
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from gateway.config.settings import Settings, Smtp
from gateway.message.envelope import Envelope
from gateway.message.header_faults import header_faults
from gateway.receive.accounts import Accounts
from gateway.receive.content import header_octets
from gateway.receive.passwords import Verifier
from gateway.receive.reception import Reception
from gateway.receive.reply import Reply
from gateway.receive.session import Session

ENVELOPE = b"EHLO a.example\r\nMAIL FROM:<a@example.jp>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PATIENCE_S = 10.0  # a session of a few KiB takes a millisecond
_REPLY_LINE = re.compile(rb"[2345][0-9]{2}[ -][\x20-\x7e]{0,506}")
_END = re.compile(rb"(?=\r\n\.\r\n)")
_LOOSE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")


class _Pipe(asyncio.Transport):
    """A transport without a socket: keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 2525)})
        self.written = bytearray()
        self.closed = False
        self.greeted = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += data
        self.greeted.set()

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def check(octets: bytes) -> None:
    if not octets:
        return
    said = (ENVELOPE if octets[0] & 0x80 else b"") + octets[1:]
    whole = asyncio.run(_session(said, len(said) + 1))
    cut = asyncio.run(_session(said, 1 + (octets[0] & 0x3F)))
    taken, replies = whole
    assert cut[0] == taken, "how the octets were cut made another mail"
    # Of two faults in one mail the one that came first is named, so that the words may differ.
    assert _codes(cut[1]) == _codes(replies), "how the octets were cut made another answer"
    _well_formed(replies)
    if b"BDAT" not in said.upper():
        assert len(taken) <= len(_END.findall(said)), "a mail was taken that the client never ended"
    for envelope, raw in taken:
        assert envelope.recipients
        assert _LOOSE_END.search(raw) is None
        assert header_faults(header_octets(raw)) is None


async def _session(said: bytes, chunk: int) -> tuple[list[tuple[Envelope, bytes]], bytes]:
    taken: list[tuple[Envelope, bytes]] = []

    async def submit(envelope: Envelope, raw: bytes) -> Reply:
        taken.append((envelope, raw))
        return Reply(250, "2.0.0", f"Q{len(taken)} queued")

    accounts = Accounts(Path("no-accounts"))
    settings = Settings(hostname="gate.example.jp", smtp=Smtp(trusted_networks=(ip_network("127.0.0.0/8"),)))
    verifier = Verifier(accounts, CHEAP)
    reception = Reception(settings, submit, accounts, verifier, failure_delay=0.0, greeting_pause=0.0)
    session, pipe = Session(reception), _Pipe()
    session.connection_made(pipe)
    await asyncio.wait_for(pipe.greeted.wait(), PATIENCE_S)
    for at in range(0, len(said), chunk):
        session.data_received(said[at : at + chunk])
        await asyncio.sleep(0)
    session.eof_received()
    await asyncio.wait_for(asyncio.shield(session.handler), PATIENCE_S)
    session.connection_lost(None)
    verifier.close()
    return taken, bytes(pipe.written)


def _codes(replies: bytes) -> list[bytes]:
    return [line[:9] for line in replies.split(b"\r\n")]


def _well_formed(replies: bytes) -> None:
    assert replies.endswith(b"\r\n")
    lines = replies.removesuffix(b"\r\n").split(b"\r\n")
    assert lines[0].startswith(b"220 ")
    for line, following in zip(lines, [*lines[1:], b""], strict=True):
        assert _REPLY_LINE.fullmatch(line), line
        assert line[3:4] == b" " or following[:3] == line[:3], "the lines of one reply have different codes"
        assert not line.startswith(b"451 4.3.0"), "an unexpected error inside"
