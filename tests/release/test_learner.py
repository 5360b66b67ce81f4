"""The learner: works while a rule asks, forgets in any case, and outlives what fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from gateway.release.learner import FORGET_BATCH, PAUSE_S, ROUND_S, TROUBLE_S, WORTH_TELLING, Learner
from gateway.spool.contract import StoreUnavailable
from gateway.spool.knowledge import Knowledge
from tests.spool.mails import T0

YEAR = timedelta(days=365)


class Door:
    def __init__(self, batches: int = 0, error: Exception | None = None, gone: int = 0) -> None:
        self.batches, self.error, self.gone = batches, error, gone
        self.forgotten: list[Any] = []
        self.learned = 0

    async def learn(self) -> int:
        if self.error is not None:
            raise self.error
        self.learned += 1
        self.batches -= 1
        return 1 if self.batches >= 0 else 0

    async def forget(self, now: object, unused_for: timedelta, limit: int) -> int:
        self.forgotten.append((now, unused_for, limit))
        return self.gone


def learner(door: Door, *, asked: bool = True) -> Learner:
    return Learner(cast(Knowledge, door), lambda: asked, lambda: T0, YEAR)


async def test_batch_follows_batch_until_all_is_known() -> None:
    working = learner(Door(batches=2))
    assert [await working.round() for _ in range(3)] == [PAUSE_S, PAUSE_S, ROUND_S]


async def test_nothing_is_learned_that_no_rule_asks_for_and_what_is_old_goes_all_the_same() -> None:
    door = Door(batches=2)
    assert await learner(door, asked=False).round() == ROUND_S
    assert door.learned == 0
    assert door.forgotten == [(T0, YEAR, FORGET_BATCH)]


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), RuntimeError("a bug")])
async def test_a_failure_makes_it_pause(error: Exception) -> None:
    assert await learner(Door(error=error)).round() == TROUBLE_S


async def test_a_full_batch_of_forgetting_is_followed_by_another_at_once() -> None:
    full, enough = Door(gone=FORGET_BATCH), Door(gone=3)
    for door, times, pause in ((full, 2, PAUSE_S), (enough, 1, ROUND_S)):
        working = learner(door)
        assert [await working.round(), await working.round()] == [pause, pause]
        assert len(door.forgotten) == times


async def test_the_end_of_a_long_learning_is_told_once() -> None:
    working = learner(Door(batches=WORTH_TELLING))
    with capture_logs() as told:
        while await working.round() == PAUSE_S:
            pass
        await working.round()
    assert [each["events"] for each in told if each["event"] == "learning.caught-up"] == [WORTH_TELLING]
