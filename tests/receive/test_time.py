"""Clients that are too slow, and slow ones that are honest."""

from __future__ import annotations

import asyncio
from math import inf

import pytest

from gateway.receive.limits import RATE_GRACE, data_deadline
from gateway.receive.pace import Watchdog
from tests.receive.conftest import Open


@pytest.mark.parametrize(
    ("received", "now", "deadline"),
    [
        (0, 0.0, RATE_GRACE),  # the rate counts after the grace
        (500, 1.0, RATE_GRACE + 1),  # what arrived buys its time
        (500 * 300, 290.0, RATE_GRACE + 300),  # an honest slow client goes on
        (10**9, 0.0, 60.0),  # silence
        (10**9, 595.0, 600.0),  # the absolute limit
    ],
)
def test_deadline_of_data(received: int, now: float, deadline: float) -> None:
    assert data_deadline(0.0, received, now, idle=60.0, whole=600.0, rate=500) == deadline


def test_no_minimum_rate() -> None:
    assert data_deadline(0.0, 0, 0.0, idle=60.0, whole=600.0, rate=0) == 60.0


async def test_watchdog_moves_both_ways() -> None:
    loop = asyncio.get_running_loop()
    fired: list[float] = []
    dog = Watchdog(loop, lambda: fired.append(loop.time()))
    start = loop.time()
    dog.until(start + 0.02)
    dog.until(inf)
    await asyncio.sleep(0.05)
    assert not fired
    dog.until(loop.time() + 60)
    dog.until(loop.time() + 0.01)
    await asyncio.sleep(0.05)
    assert len(fired) == 1
    dog.until(loop.time())
    await asyncio.sleep(0.02)
    assert len(fired) == 1


async def test_idle_between_commands(open_house: Open) -> None:
    house = await open_house(idle="1s")
    client = await house.connect()
    await client.greet()
    assert await client.reply() == "421 4.4.2 timeout; closing the connection"
    assert await client.line() == b""


async def test_noop_does_not_hold_a_slot_for_ever(open_house: Open) -> None:
    house = await open_house(session="1s")
    client = await house.connect()
    await client.greet()
    for _ in range(60):
        if (await client.ask(b"NOOP")).startswith("421 4.4.2"):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the session goes on")


async def test_data_below_the_minimum_rate(open_house: Open) -> None:
    house = await open_house(idle="1s", data_rate=1000)
    client = await house.connect()
    await client.greet()
    await client.envelope()
    reply = asyncio.ensure_future(client.reply())
    for _ in range(100):
        await client.send(b"x\r\n")
        await asyncio.sleep(0.03)
        if reply.done():
            break
    assert (await reply).startswith("421 4.4.2")
    assert not house.taken.mails


async def test_data_has_an_absolute_deadline(open_house: Open) -> None:
    house = await open_house(data="1s", data_rate=0)
    client = await house.connect()
    await client.greet()
    await client.envelope()
    reply = asyncio.ensure_future(client.reply())
    for _ in range(100):
        await client.send(b"x" * 500 + b"\r\n")
        await asyncio.sleep(0.03)
        if reply.done():
            break
    assert (await reply).startswith("421 4.4.2")


async def test_slow_but_honest_data_outlives_the_idle_time(open_house: Open) -> None:
    house = await open_house(idle="1s", data_rate=10)
    client = await house.connect()
    await client.greet()
    await client.envelope()
    for _ in range(8):
        await client.send(b"x" * 100 + b"\r\n")
        await asyncio.sleep(0.2)
    assert (await client.ask(b".")).startswith("250 ")


async def test_a_client_that_reads_nothing_is_cut(open_house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.receive.wire.LINGER", 0.1)
    house = await open_house(idle="1s", commands=1_000_000)
    client = await house.connect()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    flood = asyncio.ensure_future(client.send(b"EHLO x\r\n" + b"HELP\r\n" * 2_000_000))
    for _ in range(300):
        if not house.listener.reception.sessions:
            break
        await asyncio.sleep(0.05)
    assert not house.listener.reception.sessions
    await flood
