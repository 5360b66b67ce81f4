"""Group commit: durable before answered, one failure fails one job, nothing hangs and nothing is lost."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.store import committer, group
from gateway.store import writer as committing
from gateway.store.database import Database
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Event
from gateway.store.schema import events, master_keys
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.process import wait_for
from tests.store.conftest import MASTER

_running: list[asyncio.Future[None]] = []  # an event loop keeps no reference to its tasks
COMMITTED = sa.select(sa.func.count()).select_from(events)


def write(tx: Tx) -> None:
    tx.event(Event(0, None, "started", "system"))


def guilty(tx: Tx) -> None:
    write(tx)
    raise KeyError("guilty")


def count(database: Database) -> int:
    return database.readers.read(lambda q: int(q.connection.execute(COMMITTED).scalar_one()))


async def occupied(database: Database) -> threading.Event:
    """Keep the committer busy until the returned event is set, so that what follows is one batch."""
    free, busy = threading.Event(), threading.Event()

    def wait(_tx: Tx) -> None:
        busy.set()
        free.wait(10)

    _running.append(asyncio.ensure_future(database.committer.run(wait)))
    await asyncio.to_thread(busy.wait, 10)
    return free


async def test_the_answer_comes_after_the_commit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    commit, resolve = committing._commit, group._resolve

    def committed(transaction: sa.Transaction) -> None:
        commit(transaction)
        order.append(f"commit {count(database)}")

    def resolved(done: Any) -> None:
        order.append("answer")
        resolve(done)

    monkeypatch.setattr(committing, "_commit", committed)
    monkeypatch.setattr(group, "_resolve", resolved)
    await database.committer.run(write)
    assert order == ["commit 1", "answer"]


async def test_what_waits_goes_into_one_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    commit = committing._commit

    def counted(transaction: sa.Transaction) -> None:
        commits.append(1)
        commit(transaction)

    monkeypatch.setattr(committing, "_commit", counted)
    free = await occupied(database)
    jobs = [asyncio.ensure_future(database.committer.run(write)) for _ in range(100)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*jobs)
    assert (len(commits), count(database)) == (2, 100)


async def test_only_the_guilty_job_of_a_batch_fails(database: Database) -> None:
    free = await occupied(database)
    jobs = [database.committer.run(guilty if n == 5 else write) for n in range(10)]
    answers = asyncio.gather(*jobs, return_exceptions=True)
    await asyncio.sleep(0)
    free.set()
    failed = [n for n, answer in enumerate(await answers) if isinstance(answer, KeyError)]
    assert (failed, count(database)) == ([5], 9)


async def test_a_cancelled_caller_does_not_undo_the_commit(database: Database) -> None:
    free = await occupied(database)
    task = asyncio.ensure_future(database.committer.run(write))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    free.set()
    await database.committer.run(write)
    assert count(database) == 2


async def test_a_failing_commit_fails_all_of_it_and_the_next_one_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(sa.engine.RootTransaction, "commit", broken)
        with pytest.raises(StoreUnavailable) as caught:
            await database.committer.run(write)
    assert caught.value.uncertain
    assert count(database) == 0
    await database.committer.run(write)
    assert count(database) == 1


def limit(pages: int) -> Any:
    return lambda tx: tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar_one()


def large(tx: Tx) -> None:
    tx.event(Event(0, None, "started", "system", detail={"x": "y" * 1_000_000}))


async def test_a_full_disk_is_temporary(database: Database) -> None:
    used = await database.committer.run(limit(1))
    with pytest.raises(StoreUnavailable, match="full") as caught:
        await database.committer.run(large)
    assert caught.value.full
    assert not caught.value.uncertain
    await database.committer.run(limit(used + 10_000))
    await database.committer.run(large)
    assert count(database) == 1


async def test_what_still_fits_on_a_full_disk_is_committed(database: Database) -> None:
    used = await database.committer.run(limit(1))
    await database.committer.run(limit(used + 20))

    @sa.event.listens_for(
        database._engine, "connect"
    )  # the committer takes a new connection after such an error
    def _limited(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {used + 20}")

    free = await occupied(database)
    answers = asyncio.gather(
        *[database.committer.run(job) for job in (write, large, write)], return_exceptions=True
    )
    await asyncio.sleep(0)
    free.set()
    told = [type(answer) for answer in await answers]
    assert (told, count(database)) == ([type(None), StoreUnavailable, type(None)], 2)


async def test_a_database_that_somebody_keeps_locked_is_temporary(database: Database, state: Any) -> None:
    await database.committer.run(lambda tx: tx.connection.exec_driver_sql("PRAGMA busy_timeout = 10"))
    other = sqlite3.connect(state / "sekisho.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await database.committer.run(write)
    other.close()
    await database.committer.run(write)
    assert count(database) == 1


async def test_the_queue_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUEUE_LIMIT", 3)
    free = await occupied(database)
    answers = asyncio.gather(*[database.committer.run(write) for _ in range(5)], return_exceptions=True)
    await asyncio.sleep(0)
    free.set()
    refused = [answer for answer in await answers if isinstance(answer, StoreUnavailable)]
    assert (len(refused), count(database)) == (2, 3)


async def test_close_commits_what_waits_and_refuses_what_comes_later(database: Database) -> None:
    free = await occupied(database)
    jobs = [asyncio.ensure_future(database.committer.run(write)) for _ in range(5)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.to_thread(database.committer.close)
    await asyncio.gather(*jobs)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.committer.run(write)
    assert count(database) == 5


async def test_a_broken_constraint_is_an_error_of_ours_not_of_the_disk(database: Database) -> None:
    def twice(tx: Tx) -> None:
        row = master_keys.insert().values(key_id="x", since=0)
        tx.connection.execute(row)
        tx.connection.execute(row)

    with pytest.raises(sa.exc.IntegrityError):
        await database.committer.run(twice)


async def test_a_turn_that_another_worker_keeps_is_waited_for_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits is refused, what was refused is not done later, and all goes on when the turn is given back."""
    monkeypatch.setattr("gateway.store.committer.STUCK_S", 0.1)
    database = Database(Where(tmp_path / "var", workers=2), MASTER, serve=True)
    try:
        await database.committer.run(write)
        with (tmp_path / "var" / "writing.lock").open("rb") as colleague:
            fcntl.flock(colleague, fcntl.LOCK_EX)
            refused = [asyncio.ensure_future(database.committer.run(write)) for _ in range(3)]
            await asyncio.sleep(0.3)
            assert database.committer.stuck
            database.committer.give_up()
            answers = await asyncio.gather(*refused, return_exceptions=True)
            assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        await database.committer.run(write)
        assert count(database) == 2
        await asyncio.to_thread(wait_for, lambda: not database.committer.stuck, "the thread to rest")
    finally:
        database.close()
