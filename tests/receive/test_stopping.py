"""The service stops while a session is in any phase: the client hears why where it can, and nobody waits beyond the bound."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.receive.conftest import Client, Open, certificate

DRAIN = timedelta(milliseconds=300)
ALICE = b64encode(b"\0alice\0open sesame")
ENVELOPE = (b"EHLO x.example.com", b"MAIL FROM:<alice@sports.example.jp>", b"RCPT TO:<b@example.com>")


@dataclass(frozen=True)
class Phase:
    """What the client has said; `last` without a reply. `told`: it hears 421 at once; `finish`: how it ends its mail."""

    name: str
    asked: tuple[bytes, ...] = ()
    last: bytes = b""
    told: bool = True
    finish: bytes = b""


PHASES = [
    Phase("after the banner"),
    Phase("after EHLO", ENVELOPE[:1]),
    Phase("mid command", ENVELOPE[:1], b"MAIL FROM:<ali"),
    Phase("between MAIL and RCPT", ENVELOPE[:2]),
    Phase("mid AUTH LOGIN", (ENVELOPE[0], b"AUTH LOGIN")),
    Phase("after AUTH", (ENVELOPE[0], b"AUTH PLAIN " + ALICE)),
    Phase("mid STARTTLS", (ENVELOPE[0], b"STARTTLS"), told=False),
    Phase("DATA and nothing more", (*ENVELOPE, b"DATA"), told=False),
    Phase("mid DATA", (*ENVELOPE, b"DATA"), b"Subject: x\r\n\r\nha", told=False),
    Phase("mid DATA, then its end", (*ENVELOPE, b"DATA"), b"X: y\r\n", told=False, finish=b"\r\n.\r\n"),
    Phase("mid chunk", ENVELOPE, b"BDAT 100\r\nSubject: x", told=False),
    Phase("mid chunk, then its end", ENVELOPE, b"BDAT 9 LAST\r\nX: y", told=False, finish=b"y\r\n\r\n"),
    Phase("between chunks", (*ENVELOPE, b"BDAT 2\r\n"), told=False),
    Phase("between chunks, then the last", (*ENVELOPE, b"BDAT 2\r\n"), told=False, finish=b"BDAT 0 LAST\r\n"),
]


async def reach(client: Client, phase: Phase) -> None:
    assert (await client.reply()).startswith("220 ")
    for command in phase.asked:
        assert (await client.ask(command))[:1] in "23"
    await client.send(phase.last)
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
async def test_stopping_in_any_phase(open_house: Open, tmp_path: Path, phase: Phase) -> None:
    tls, _ = certificate(tmp_path)
    house = await open_house(tls=tls, accounts=True)
    client = await house.connect()
    await reach(client, phase)
    stopping = asyncio.ensure_future(house.listener.close(DRAIN))
    await asyncio.sleep(0.05)
    if phase.finish:
        await client.send(phase.finish)
        assert (await client.reply()).startswith("250 2.0.0 Q1")
    if phase.told or phase.finish:
        assert (await client.reply()).startswith("421 4.3.2")
    assert await client.line() == b""
    cut = await asyncio.wait_for(stopping, DRAIN.total_seconds() + 5)
    assert cut == (0 if phase.told or phase.finish else 1)
    await asyncio.sleep(0.05)
    assert not house.listener.reception.sessions
    assert house.listener.reception.budget.used == 0
    assert len(house.taken.mails) == (1 if phase.finish else 0)


async def test_stopping_before_the_banner(open_house: Open) -> None:
    house = await open_house(trusted=False, greeting_pause=0.2)
    client = await house.connect()
    await asyncio.sleep(0.05)
    assert await house.listener.close(timedelta(seconds=5)) == 0
    assert (await client.reply())[:3] in ("220", "421")
    assert house.listener.reception.sessions == set()


async def test_stopping_before_the_proxy_header(open_house: Open) -> None:
    house = await open_house(proxy=True)
    client = await house.connect()
    await client.send(b"PROXY TCP4 192.")
    await asyncio.sleep(0.05)
    await asyncio.wait_for(house.listener.close(DRAIN), DRAIN.total_seconds() + 5)
    await client.close()
    await asyncio.sleep(0.05)
    assert not house.listener.reception.sessions
