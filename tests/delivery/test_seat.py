"""A seat: copies follow each other at one place, others get their turn, and whatever fails costs one copy its session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from gateway.delivery.mail import Outgoing
from gateway.delivery.pool import Pool
from gateway.delivery.route import Route
from gateway.delivery.seat import Seat
from tests.delivery.conftest import Line, connected, mail
from tests.delivery.next_hop import CLOSE, NextHop


async def send_each(line: Line, count: int, name: str = "r") -> list[str]:
    """Deliver one copy after another on one seat; return the states."""
    async with line.courier.seat() as seat:
        return [await send_one(line, seat, mail(f"{name}{number}@example.com")) for number in range(count)]


async def send_one(line: Line, seat: Seat, outgoing: Outgoing) -> str:
    start_by = asyncio.get_running_loop().time() + 5
    delivery = await line.courier.deliver(Route(line.target), lambda: outgoing, 1, start_by, seat)
    return delivery.verdicts[0].state.value


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """Return a list that grows with each call of a verb of the pool."""
    calls: list[object] = []
    really: Callable[..., object] = getattr(Pool, name)

    def noted(*arguments: object) -> object:
        calls.append(arguments)
        return really(*arguments)

    monkeypatch.setattr(Pool, name, noted)
    return calls


async def test_copies_follow_each_other_without_queueing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, kept = counted(monkeypatch, "enter"), counted(monkeypatch, "keep")
    async with connected(NextHop(), per_host=1) as line:
        assert await send_each(line, 8) == ["delivered"] * 8
        assert (len(entered), len(kept)) == (1, 1)
        assert (line.hop.connections, line.hop.open_most) == (1, 1)
        assert [taken.rcpt_to for taken in line.hop.taken] == [[f"<r{n}@example.com>"] for n in range(8)]
        assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 1  # the session went back to the pool


async def test_who_waits_gets_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.seat.TURN_S", 0.0)
    async with connected(NextHop(delay=0.01), per_host=1) as line:
        many = asyncio.create_task(send_each(line, 20))
        while not line.hop.taken:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.005)
        assert await line.states(mail("other@example.com")) == ["delivered"]
        assert len(line.hop.taken) < 10
        assert await many == ["delivered"] * 20


async def test_a_turn_among_all_places_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.seat.TURN_S", 0.0)
    async with connected(NextHop(delay=0.01), per_host=5, total=1) as line:
        ends = await asyncio.gather(*(send_each(line, 6, name) for name in "ab"))
        assert ends == [["delivered"] * 6] * 2
        order = [taken.rcpt_to[0][1] for taken in line.hop.taken]
        assert sum(one != other for one, other in pairwise(order)) > 2
        assert line.hop.open_most <= 2


async def test_within_a_turn_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.seat.TURN_S", 1e9)
    async with connected(NextHop(delay=0.005), per_host=1) as line:
        await asyncio.gather(*(send_each(line, 6, name) for name in "ab"))
        order = "".join(taken.rcpt_to[0][1] for taken in line.hop.taken)
        assert order in ("aaaaaabbbbbb", "bbbbbbaaaaaa")


async def test_a_session_on_a_seat_ends_after_its_share_of_messages() -> None:
    async with connected(NextHop(), max_messages=3) as line:
        assert await send_each(line, 8) == ["delivered"] * 8
        assert line.hop.connections == 3


async def test_a_session_that_dies_between_two_copies_is_replaced() -> None:
    def script(line: str, number: int) -> str | None:
        return CLOSE if line.startswith("MAIL") and number == 2 else None

    async with connected(NextHop(script)) as line:
        assert await send_each(line, 4) == ["delivered"] * 4
        assert (len(line.hop.taken), line.hop.connections) == (4, 2)


async def test_what_is_lost_after_its_end_is_not_repeated_and_the_next_goes_on() -> None:
    def script(line: str, number: int) -> str | None:
        return CLOSE if line == "END" and number == 1 else None

    async with connected(NextHop(script)) as line:
        assert await send_each(line, 4) == ["delivered", "deferred", "delivered", "delivered"]
        assert (line.hop.counts["END"], line.hop.connections) == (4, 2)


async def test_a_copy_that_cannot_be_made_costs_the_others_nothing() -> None:
    def fail() -> Outgoing:
        raise KeyError("to order")

    async with connected(NextHop()) as line, line.courier.seat() as seat:
        assert await send_one(line, seat, mail()) == "delivered"
        start_by = asyncio.get_running_loop().time() + 5
        broken = await line.courier.deliver(Route(line.target), fail, 1, start_by, seat)
        assert broken.verdicts[0].reply == "internal error (KeyError)"
        assert await send_one(line, seat, mail()) == "delivered"
        assert line.hop.connections == 1


async def test_a_seat_that_is_given_up_in_the_middle_leaves_nothing_behind() -> None:
    async with connected(NextHop(delay=5), per_host=1) as line:
        task = asyncio.create_task(send_each(line, 3))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert line.pool._hosts == {}
        line.hop.delay = 0
        assert await line.states(mail()) == ["delivered"]
