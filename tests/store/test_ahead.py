"""Small jobs write their rows on the event loop, the thread commits them; whatever is in the way, the thread does it all."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.store import writer
from gateway.store.database import Database
from gateway.store.errors import StoreUnavailable
from gateway.store.sqlite import commit_now
from gateway.store.turn import Turn
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.store.conftest import MASTER
from tests.store.test_committer import count, guilty, large, limit, occupied, write

Job = Callable[[Tx], Any]
HERE = threading.main_thread().name


def where(tx: Tx) -> str:
    """Write an event and tell on which thread."""
    write(tx)
    return threading.current_thread().name


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the thread of each COMMIT."""
    seen: list[str] = []
    commit = writer._commit

    def noted(transaction: Any) -> None:
        seen.append(threading.current_thread().name)
        commit(transaction)

    monkeypatch.setattr(writer, "_commit", noted)
    return seen


def small(database: Database, *jobs: Job) -> asyncio.Future[list[Any]]:
    """Hand over small jobs with the next turn of the loop; the answers, errors among them."""
    return asyncio.gather(*[database.committer.run(job, small=True) for job in jobs], return_exceptions=True)


async def test_rows_are_written_on_the_loop_and_committed_by_the_thread(
    database: Database, commits: list[str]
) -> None:
    assert await small(database, *[where] * 20) == [HERE] * 20
    assert (commits, count(database)) == (["committer"], 20)


async def test_what_comes_during_a_commit_is_the_next_transaction(
    database: Database, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, free = threading.Event(), threading.Event()

    def waits(connection: Any) -> None:
        begun.set()
        assert free.wait(10)
        commit_now(connection)

    monkeypatch.setattr(writer, "commit_now", waits)
    first = small(database, where)
    await asyncio.to_thread(begun.wait, 10)
    later = small(database, *[where] * 30)
    await asyncio.sleep(0.01)
    assert (first.done(), later.done()) == (False, False)
    free.set()
    assert await first == [HERE]
    assert await later == [HERE] * 30
    assert (len(commits), count(database)) == (2, 31)


async def test_more_than_one_round_takes_are_all_answered(database: Database) -> None:
    assert await small(database, *[where] * 200) == [HERE] * 200
    assert count(database) == 200


async def test_a_large_job_among_them_takes_all_to_the_thread(database: Database, commits: list[str]) -> None:
    run = database.committer.run
    first, second = run(where, small=True), run(where, small=True)
    assert await asyncio.gather(*[first, run(where), second]) == ["committer"] * 3
    assert (len(commits), count(database)) == (1, 3)
    assert await small(database, where) == [HERE]


async def test_while_the_thread_works_it_takes_small_jobs_too_or_leaves_them_to_the_loop(
    database: Database,
) -> None:
    free = await occupied(database)
    waiting = small(database, *[where] * 5)
    await asyncio.sleep(0)
    free.set()
    assert len(await waiting) == 5
    assert count(database) == 5


async def test_another_writer_makes_the_thread_wait_not_the_loop(database: Database, state: Path) -> None:
    other = sqlite3.connect(state / "sekisho.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = small(database, where, where)
    ticks = 0
    while ticks < 20:  # the loop turns while the thread waits
        await asyncio.sleep(0.005)
        ticks += 1
    assert not waiting.done()
    other.close()
    assert await waiting == ["committer"] * 2
    assert await small(database, where) == [HERE]


@pytest.fixture
def one_of_two(state: Path) -> Iterator[Database]:
    """The store of one of two workers."""
    database = Database(Where(state, workers=2), MASTER, serve=True)
    yield database
    database.close()


@pytest.fixture
def colleague(one_of_two: Database, state: Path) -> Iterator[Turn]:
    """The lock of the other worker, which has the turn."""
    turn = Turn(state / "writing.lock")
    assert turn.take_at_once()
    yield turn
    turn.close()


async def test_the_turn_of_another_worker_makes_the_thread_wait_and_the_loop_writes_then(
    one_of_two: Database, colleague: Turn, state: Path, commits: list[str]
) -> None:
    waiting = small(one_of_two, where)
    await asyncio.sleep(0.05)
    more = small(one_of_two, where, where)
    await asyncio.sleep(0.05)
    assert (waiting.done(), more.done()) == (False, False)
    colleague.give()
    assert await waiting + await more == [HERE] * 3
    assert (len(commits), count(one_of_two)) == (1, 3)
    assert await small(one_of_two, where) == [HERE]
    with (state / "writing.lock").open("rb") as handle:  # given back, each time
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def test_a_large_job_that_comes_while_the_turn_is_waited_for_loses_nothing(
    one_of_two: Database, colleague: Turn
) -> None:
    waiting = small(one_of_two, where)
    await asyncio.sleep(0.02)
    large_one = asyncio.ensure_future(one_of_two.committer.run(where))
    await asyncio.sleep(0.02)
    colleague.give()
    assert (await waiting, await large_one) == (["committer"], "committer")
    assert await small(one_of_two, where) == [HERE]


@pytest.mark.parametrize("large_too", [False, True])
async def test_a_turn_that_came_when_nobody_waited_any_more_is_given_back(
    one_of_two: Database, colleague: Turn, large_too: bool
) -> None:
    waiting = small(one_of_two, where)
    await asyncio.sleep(0.02)
    jobs = [one_of_two.committer.run(where)] if large_too else []
    refused = asyncio.gather(*jobs, return_exceptions=True)
    await asyncio.sleep(0.02)
    one_of_two.committer.give_up()
    told = await waiting + await refused
    assert [type(answer) for answer in told] == [StoreUnavailable] * (1 + large_too)
    colleague.give()
    await asyncio.sleep(0.05)
    assert colleague.take_at_once()


async def test_only_the_guilty_one_fails(database: Database) -> None:
    answers = await small(database, *[guilty if n == 5 else where for n in range(10)])
    failed = [n for n, answer in enumerate(answers) if isinstance(answer, KeyError)]
    assert (failed, count(database)) == ([5], 9)
    assert await small(database, where) == [HERE]


async def test_a_commit_that_fails_is_uncertain_and_the_next_one_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(writer, "commit_now", broken)
        answers = await small(database, where, where)
    assert [isinstance(answer, StoreUnavailable) and answer.uncertain for answer in answers] == [True] * 2
    assert count(database) == 0
    assert await small(database, where) == [HERE]


async def test_a_full_disk_is_told_by_the_thread(database: Database) -> None:
    used = await database.committer.run(limit(1))

    @sa.event.listens_for(database._engine, "connect")
    def _limited(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {used + 20}")

    (answer,) = await small(database, large)
    assert isinstance(answer, StoreUnavailable)
    assert (answer.full, answer.uncertain, count(database)) == (True, False, 0)
    assert await small(database, where) == [HERE]


async def test_closing_before_the_loop_came_to_it_commits_it(database: Database) -> None:
    waiting = small(database, where, where)
    await asyncio.sleep(0)  # it is asked for, and not yet begun
    database.committer.close()
    assert len(await waiting) == 2
    assert count(database) == 2
    (late,) = await small(database, where)
    assert isinstance(late, StoreUnavailable)


async def test_a_loop_that_was_closed_before_it_came_to_it_loses_nothing(database: Database) -> None:
    def ended_early() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(database.committer.run(write, small=True))
        loop.call_soon(loop.stop)
        loop.run_forever()
        task.cancel()  # its caller is gone
        loop.close()

    thread = threading.Thread(target=ended_early)
    thread.start()
    await asyncio.to_thread(thread.join, 10)
    assert await small(database, where) == [HERE]
    assert count(database) == 2


async def test_a_cancelled_caller_does_not_undo_it(database: Database) -> None:
    task = asyncio.ensure_future(database.committer.run(where, small=True))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await small(database, where) == [HERE]
    assert count(database) == 2


async def test_given_up_everybody_is_answered(database: Database) -> None:
    waiting = small(database, where)
    await asyncio.sleep(0)
    database.committer.give_up()
    (answer,) = await asyncio.wait_for(waiting, 10)
    assert isinstance(answer, StoreUnavailable)
    assert await small(database, where) == [HERE]
