"""A large mail is written piece by piece, and everybody else has a turn after each piece."""

from __future__ import annotations

import asyncio

import pytest

from gateway.delivery import connection as wired
from gateway.delivery.dots import CHUNK
from tests.delivery.conftest import connected, mail
from tests.delivery.next_hop import NextHop


async def test_others_have_a_turn_between_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, seen = 0, list[int]()
    write = wired.Connection.write

    def watched(self: wired.Connection, octets: bytes) -> None:
        seen.append(turns)
        write(self, octets)

    async def takes_all(self: wired.Connection, timeout: float) -> None:
        """A hop so fast that nothing is ever waited for."""

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(wired.Connection, "write", watched)
    monkeypatch.setattr(wired.Connection, "drain", takes_all)
    beating = asyncio.create_task(beat())
    async with connected(NextHop()) as line:
        await line.send(mail(body=b"a line of a large mail\r\n" * (4 * CHUNK // 24)))
    beating.cancel()
    assert len(seen) >= 6
    assert len(set(seen)) == len(seen)
