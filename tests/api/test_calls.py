"""Idempotency keys in the store, on both: once is once, also for two at a time and after a crash."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.api.calls import KEPT, UNDER_WAY, Another, Answered, Begun, Busy, SqlCalls
from gateway.spool.sql import SqlSpool
from gateway.store.call_tables import api_calls
from tests.spool.mails import T0

FIRST, OTHER = b"d" * 32, b"e" * 32
SECOND = timedelta(seconds=1)


@pytest.fixture
def calls(spool: SqlSpool) -> SqlCalls:
    return SqlCalls(spool.database)


async def begun(calls: SqlCalls, token: str = "t1", key: str = "k1") -> Begun:
    found = await calls.begin(token, key, FIRST, T0)
    assert isinstance(found, Begun)
    return found


async def test_the_same_again_gets_the_same_answer(calls: SqlCalls) -> None:
    await calls.end(await begun(calls), Answered(200, b'{"done":[1]}'))
    assert await calls.begin("t1", "k1", FIRST, T0 + SECOND) == Answered(200, b'{"done":[1]}')


async def test_answers_are_wrapped(calls: SqlCalls, spool: SqlSpool) -> None:
    """What people wrote of an incident is wrapped where it stands; so it is in what was answered."""
    await calls.end(await begun(calls), Answered(200, b'{"description":"Sato"}'))
    kept = await spool.database.readers.run(
        lambda queries: queries.connection.execute(api_calls.select()).all()
    )
    assert b"Sato" not in b"".join(bytes(row.body) for row in kept)


async def test_a_key_belongs_to_its_token_and_its_call(calls: SqlCalls) -> None:
    await calls.end(await begun(calls), Answered(200, b"{}"))
    with pytest.raises(Another):
        await calls.begin("t1", "k1", OTHER, T0)
    assert isinstance(await calls.begin("t2", "k1", OTHER, T0), Begun)
    assert isinstance(await calls.begin("t1", "k2", OTHER, T0), Begun)


async def test_of_many_at_once_one_begins(calls: SqlCalls) -> None:
    tries = [calls.begin("t1", "k1", FIRST, T0) for _ in range(20)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Begun) for each in found) == 1
    assert sum(isinstance(each, Busy) for each in found) == 19


async def test_what_a_crash_cut_short_may_be_made_again(calls: SqlCalls) -> None:
    cut_short = await begun(calls)
    with pytest.raises(Busy):
        await calls.begin("t1", "k1", FIRST, T0 + UNDER_WAY - SECOND)
    again = await calls.begin("t1", "k1", FIRST, T0 + UNDER_WAY)
    assert isinstance(again, Begun)
    await calls.end(
        cut_short, Answered(200, b"late")
    )  # was not dead after all: the second one's answer counts
    await calls.end(again, Answered(200, b"now"))
    assert await calls.begin("t1", "k1", FIRST, T0 + UNDER_WAY + SECOND) == Answered(200, b"now")


async def test_what_failed_on_our_side_is_forgotten(calls: SqlCalls) -> None:
    await calls.drop(await begun(calls))
    assert isinstance(await calls.begin("t1", "k1", OTHER, T0 + SECOND), Begun)


async def test_answers_are_kept_for_a_day(calls: SqlCalls) -> None:
    await calls.end(await begun(calls), Answered(200, b"{}"))
    await calls.begin("t1", "k2", FIRST, T0 + KEPT)
    assert await calls.begin("t1", "k1", FIRST, T0 + KEPT) == Answered(200, b"{}")
    await calls.begin("t1", "k3", FIRST, T0 + KEPT + SECOND)
    assert isinstance(await calls.begin("t1", "k1", OTHER, T0 + KEPT + SECOND), Begun)
