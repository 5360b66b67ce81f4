"""Results gather for one commit, are all recorded, and wait for nobody once the last of a claim is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import cast

import pytest

from gateway.delivery.outcome import Verdict
from gateway.release import ledger
from gateway.release.ledger import Ledger
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.values import Change, Claim, Result
from tests.memory_spool import NOON
from tests.release.claims import claim_of

CLAIM = claim_of(600)
DELIVERED = Verdict(State.DELIVERED, Reason.REMOTE_REPLY, "250 2.0.0 ok", "2.0.0")
FOREVER = 1e9


class Recorder:
    """A spool that only records, in `seconds`, after failing `failures` times."""

    def __init__(self, seconds: float = 0.0, failures: int = 0) -> None:
        self.commits: list[list[int]] = []
        self.seconds = seconds
        self.failures = failures

    async def record(self, claim: Claim, results: Sequence[Result], now: datetime) -> Change:
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("to order")
        indexes = [result.index for result in results]
        self.commits.append(indexes)
        return Change(tuple(indexes), ())


def opened(spool: Recorder) -> Ledger:
    return Ledger(cast(Spool, spool), CLAIM, lambda: NOON, FOREVER, lambda: None, lambda: 0.0)


def note(book: Ledger, *indexes: int) -> None:
    for index in indexes:
        book.add([CLAIM.message.recipients[index]], [DELIVERED])
        book.begin()


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_results_that_come_close_together_are_one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "GATHER_S", 0.01)
    spool = Recorder()
    book = opened(spool)
    note(book, 0)
    await turns()
    note(book, 1, 2)
    await turns()
    assert spool.commits == []
    await asyncio.sleep(0.1)
    assert spool.commits == [[0, 1, 2]]


async def test_they_do_not_wait_for_more_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "GATHER_S", FOREVER)
    monkeypatch.setattr(ledger, "GATHERED", 4)
    spool = Recorder()
    book = opened(spool)
    note(book, 0)
    await turns()
    note(book, 1, 2)
    await turns()
    assert spool.commits == []
    note(book, 3)
    await turns()
    assert spool.commits == [[0, 1, 2, 3]]


async def test_a_bound_that_is_reached_during_a_commit_starts_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger, "GATHER_S", FOREVER)
    monkeypatch.setattr(ledger, "GATHERED", 2)
    spool = Recorder(seconds=0.01)
    book = opened(spool)
    note(book, 0)
    await turns()
    note(book, 1)
    await turns()
    note(book, 2, 3)  # while the first two are being written
    async with asyncio.timeout(10):
        while len(spool.commits) < 2:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.005)
    assert spool.commits == [[0, 1], [2, 3]]


async def test_the_end_of_a_claim_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "GATHER_S", FOREVER)
    spool = Recorder()
    book = opened(spool)
    note(book, *range(300))
    await turns()
    async with asyncio.timeout(10):
        await book.settle()
    assert sorted(index for commit in spool.commits for index in commit) == list(range(300))


async def test_what_comes_while_the_store_fails_goes_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "GATHER_S", 0.0)
    monkeypatch.setattr(ledger, "FIRST_PAUSE", 0.01)
    spool = Recorder(failures=2)
    book = opened(spool)
    note(book, 0, 1)
    await turns()
    note(book, 2)
    async with asyncio.timeout(10):
        await book.settle()
    assert spool.commits == [[0, 1], [2]]


async def test_giving_up_is_told_to_who_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "GATHER_S", FOREVER)
    spool = Recorder(seconds=FOREVER)
    book = opened(spool)
    note(book, 0)
    await turns()
    settling = asyncio.create_task(book.settle())
    await turns()
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    await turns()
    assert spool.commits == []
    assert len(asyncio.all_tasks()) == 1
