"""The pool: how many sessions there are, which are reused, and that a stale one costs no mail and makes no
duplicate."""

from __future__ import annotations

import asyncio
import gc

import pytest

from gateway.delivery.errors import Busy
from gateway.delivery.hop import Hop
from tests.delivery.conftest import connected, mail
from tests.delivery.next_hop import CLOSE, NextHop
from tests.process import wait_for


async def test_sessions_to_a_host_are_bounded() -> None:
    async with connected(NextHop(delay=0.02), per_host=3) as line:
        results = await asyncio.gather(*(line.states(mail()) for _ in range(12)))
        assert results == [["delivered"]] * 12
        assert line.hop.open_most == 3
        assert len(line.hop.taken) == 12


async def test_sessions_in_all_are_bounded() -> None:
    async with connected(NextHop(delay=0.02), per_host=10, total=2) as line:
        await asyncio.gather(*(line.states(mail()) for _ in range(8)))
        assert line.hop.open_most == 2


async def test_waiting_for_a_place_ends() -> None:
    async with connected(NextHop(), per_host=1) as line, line.pool.place(line.target, 1):
        try:
            async with line.pool.place(line.target, 0.05):
                raise AssertionError("there was no place")
        except Busy:
            pass


async def test_nobody_waits_for_a_mail_exchanger_that_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.pool.STUCK", 0.1)
    async with connected(NextHop(), per_host=1) as line, line.pool.place(line.target, 1):
        with pytest.raises(Busy, match="has been busy"):
            async with line.pool.place(line.target, 60):
                raise AssertionError("there was no place")
        assert len(line.pool._hosts) == 1


async def test_a_mail_exchanger_where_places_come_free_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.pool.STUCK", 0.2)
    async with connected(NextHop(delay=0.05), per_host=1) as line:
        assert await asyncio.gather(*(line.states(mail()) for _ in range(10))) == [["delivered"]] * 10


async def test_the_smarthost_is_waited_for_however_slow_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.pool.STUCK", 0.0)
    async with connected(NextHop(), per_host=1) as line:
        smarthost = Hop("127.0.0.1", line.hop.port, tls="off")
        async with line.pool.place(smarthost, 1):
            with pytest.raises(Busy, match="no free connection"):
                async with line.pool.place(smarthost, 0.1):
                    raise AssertionError("there was no place")


async def test_a_session_ends_after_its_share_of_messages() -> None:
    async with connected(NextHop(), max_messages=2) as line:
        for _ in range(5):
            assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 3


async def test_an_idle_session_is_closed() -> None:
    async with connected(NextHop(), idle=0.05) as line:
        await line.send(mail())
        await asyncio.to_thread(wait_for, lambda: line.hop.lines[-1] == "QUIT", "the goodbye")
        assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 2


async def test_a_session_the_peer_closed_while_idle_is_not_used() -> None:
    async with connected(NextHop()) as line:
        await line.send(mail())
        line.hop.close_all()
        await asyncio.sleep(0.05)
        assert await line.states(mail()) == ["delivered"]
        assert len(line.hop.taken) == 2


async def test_a_session_that_dies_under_a_transaction_is_replaced_once() -> None:
    def script(line: str, number: int) -> str | None:
        return CLOSE if line.startswith("MAIL") and number == 1 else None

    async with connected(NextHop(script)) as line:
        assert await line.states(mail("a@example.com")) == ["delivered"]
        assert await line.states(mail("b@example.com")) == ["delivered"]
        assert [taken.rcpt_to for taken in line.hop.taken] == [["<a@example.com>"], ["<b@example.com>"]]
        assert line.hop.connections == 2


async def test_a_reused_session_that_says_421_is_replaced_once() -> None:
    def script(line: str, number: int) -> str | None:
        return "421 4.4.2 idle too long" if line.startswith("MAIL") and number == 1 else None

    async with connected(NextHop(script)) as line:
        assert await line.states(mail()) == ["delivered"]
        assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 2


async def test_a_session_lost_after_the_final_dot_is_not_repeated() -> None:
    def script(line: str, number: int) -> str | None:
        return CLOSE if line == "END" and number == 1 else None

    async with connected(NextHop(script)) as line:
        assert await line.states(mail()) == ["delivered"]
        assert await line.states(mail()) == ["deferred"]
        assert line.hop.counts["END"] == 2


async def test_a_421_to_the_final_dot_closes_the_session() -> None:
    def script(line: str, number: int) -> str | None:
        return "421 4.3.2 going down" if line == "END" and number == 0 else None

    async with connected(NextHop(script)) as line:
        assert await line.states(mail()) == ["deferred"]
        assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 2


async def test_a_host_that_is_down_is_left_alone_for_a_moment() -> None:
    def script(line: str, number: int) -> str | None:
        return CLOSE if line == "GREETING" else None

    async with connected(NextHop(script), per_host=1) as line:
        results = await asyncio.gather(*(line.states(mail()) for _ in range(20)))
        assert results == [["deferred"]] * 20
        assert line.hop.connections == 1


async def test_hosts_that_nobody_uses_are_forgotten() -> None:
    async with connected(NextHop(), idle=0.02) as line:
        await line.send(mail())
        await asyncio.sleep(0.1)
        assert line.pool._hosts == {}
        assert line.pool._timers == {}


async def test_cancelling_a_delivery_leaks_neither_place_nor_socket() -> None:
    async with connected(NextHop(delay=5), per_host=1) as line:
        task = asyncio.create_task(line.send(mail()))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        line.hop.delay = 0
        assert await line.states(mail()) == ["delivered"]
    gc.collect()  # an open transport would warn here, and warnings are errors


async def test_idle_sessions_in_all_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.pool.MAX_IDLE", 1)
    async with connected(NextHop(delay=0.05)) as line:
        await asyncio.gather(*(line.states(mail()) for _ in range(4)))
        await asyncio.sleep(0.05)
        assert line.hop.open_now == 1
