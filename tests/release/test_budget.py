"""The bound on loaded octets: kept, fair, and never a dead end."""

from __future__ import annotations

import asyncio

from gateway.release.budget import Budget


async def test_the_bound_holds_and_everybody_gets_a_turn() -> None:
    budget, loaded, most = Budget(100), 0, 0

    async def load(octets: int) -> None:
        nonlocal loaded, most
        async with budget.take(octets):
            loaded += octets
            most = max(most, loaded)
            await asyncio.sleep(0)
            loaded -= octets

    await asyncio.gather(*(load(octets) for octets in [60, 30, 50, 74, 1, 1, 2, 3, 40, 75] * 5))
    assert loaded == 0
    assert 75 <= most <= 100


async def test_what_is_larger_than_the_bound_goes_alone() -> None:
    budget = Budget(100)
    async with budget.take(10):
        waiting = asyncio.create_task(asyncio.wait_for(_enter(budget, 500), 2))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_small_mail_waits_for_no_large_one_and_not_behind_one_that_waits() -> None:
    budget = Budget(100)
    async with budget.take(500):
        waiting = asyncio.create_task(_enter(budget, 500))
        await asyncio.sleep(0)
        await asyncio.wait_for(_enter(budget, 3), 2)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 2)


async def test_nobody_overtakes_who_waits_even_where_there_is_room() -> None:
    budget = Budget(100)
    async with budget.take(60):
        waiting = asyncio.create_task(_enter(budget, 50))
        await asyncio.sleep(0)
        behind = asyncio.create_task(_enter(budget, 10))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        assert not behind.done()
    await asyncio.wait_for(asyncio.gather(waiting, behind), 2)
    assert budget.used == 0


async def test_a_cancelled_wait_takes_nothing() -> None:
    budget = Budget(100)
    async with budget.take(100):
        waiting = asyncio.create_task(_enter(budget, 50))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.wait_for(_enter(budget, 100), 2)


async def _enter(budget: Budget, octets: int) -> None:
    async with budget.take(octets):
        pass
