"""A COMMIT that happened, and whose answer never came: the verb fails, what it wrote stands, and the next call copes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool
from gateway.store import writer
from tests.spool.mails import LEASE, MINUTE, T0, Ticks, delivered, mail


@contextmanager
def answers_lost() -> Iterator[None]:
    """Let every COMMIT happen and its answer get lost."""
    real = writer._commit

    def lost(transaction: Any) -> None:
        real(transaction)
        raise StoreUnavailable("the answer to COMMIT was lost", uncertain=True, concerns_all=True)

    writer._commit = lost
    try:
        yield
    finally:
        writer._commit = real


async def test_mail_that_was_leased_to_nobody_is_given_back_at_the_next_recovery(spool: SqlSpool) -> None:
    """And not when the lease would have ended, most of an hour later."""
    await spool.accept(mail(queued=3))
    with answers_lost(), pytest.raises(StoreUnavailable):
        await spool.claim(T0, 100, LEASE)
    assert (await spool.figures()).by_state[State.ACTIVE] == 3
    assert await spool.recover(T0) == 3
    (again,) = await spool.claim(T0, 100, LEASE)
    assert len(again.message.recipients) == 3


async def test_of_results_that_go_together_those_that_were_recorded_are_told_apart(
    spool: SqlSpool, ticks: Ticks
) -> None:
    await spool.accept(mail(queued=5))
    (claim,) = await spool.claim(T0, 100, LEASE)
    with answers_lost(), pytest.raises(StoreUnavailable):
        await spool.record(claim, [delivered(1), delivered(2)], T0)
    change = await spool.record(claim, [delivered(index) for index in range(5)], T0 + MINUTE)
    assert change.done == (0, 3, 4)
    assert change.not_done == ((1, State.DELIVERED), (2, State.DELIVERED))


async def test_a_result_that_was_recorded_is_not_recorded_again(spool: SqlSpool, ticks: Ticks) -> None:
    await spool.accept(mail(queued=1))
    (claim,) = await spool.claim(T0, 100, LEASE)
    with answers_lost(), pytest.raises(StoreUnavailable):
        await spool.record(claim, [delivered(0)], T0)
    change = await spool.record(claim, [delivered(0)], T0 + MINUTE)
    assert (change.done, change.not_done) == ((), ((0, State.DELIVERED),))
    counted = (await spool.figures()).by_state
    assert {state for state, count in counted.items() if count} == {State.DELIVERED}
    assert counted[State.DELIVERED] == 1
