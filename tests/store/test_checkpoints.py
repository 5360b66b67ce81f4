"""Checkpoints beside the commits: the log is emptied and begun anew while mail comes in, whatever reads or fails meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.spool.sql import SqlSpool, open_spool
from gateway.store import checkpoints
from gateway.store.database import FILE_NAME
from gateway.store.sqlite import move_pages, moving_connection
from gateway.store.wal import reaches
from tests.spool.conftest import MASTER
from tests.spool.mails import RAW, T0, mail

PAGES = 60
FRAME = 24 + 4096
MAIL = RAW + b"x" * 12_000  # some ten pages with its rows


@pytest.fixture
def log_of(tmp_path: Path) -> Path:
    """The WAL of the spool below."""
    return tmp_path / "state" / f"{FILE_NAME}-wal"


@pytest.fixture
async def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlSpool]:
    monkeypatch.setattr(checkpoints, "PAGES", PAGES)
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.001)
    monkeypatch.setattr(checkpoints, "READ_S", 0.001)
    monkeypatch.setattr(checkpoints, "FAILURE_S", 0.001)
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=lambda: T0)
    yield opened
    await opened.close()


async def accept(spool: SqlSpool, mails: int) -> list[str]:
    return [await spool.accept(mail(held=1, raw=MAIL)) for _ in range(mails)]


async def until_begun_anew(spool: SqlSpool, log: Path) -> None:
    """Accept mail until the log is short again: a commit, or nobody but it, begins it anew."""
    for _ in range(2_000):
        await accept(spool, 1)
        if not reaches(log, PAGES):
            return
        await asyncio.sleep(0.005)
    pytest.fail("the log was never begun anew")


async def test_the_log_is_begun_anew_under_load_and_nothing_is_lost(spool: SqlSpool, log_of: Path) -> None:
    accepted: list[str] = []
    for _ in range(5):
        batches = await asyncio.gather(*(accept(spool, 5) for _ in range(4)))
        accepted += [queue_id for batch in batches for queue_id in batch]
        await until_begun_anew(spool, log_of)
    for queue_id in accepted:
        assert await spool.raw(queue_id) == MAIL


async def test_a_read_that_goes_on_keeps_what_it_sees_and_is_waited_for(
    spool: SqlSpool, log_of: Path
) -> None:
    (first,) = await accept(spool, 1)
    with closing(sqlite3.connect(log_of.with_name(FILE_NAME), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (1,)
        await accept(spool, 30)
        await asyncio.sleep(0.05)
        assert reaches(log_of, PAGES)
        assert reader.execute("SELECT queue_id FROM messages").fetchall() == [(first,)]
        reader.execute("COMMIT")
    await until_begun_anew(spool, log_of)


async def test_a_disk_that_fails_is_tried_again(
    spool: SqlSpool, log_of: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[sqlite3.Connection] = []

    def fails(connection: sqlite3.Connection) -> bool:
        failed.append(connection)
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "move_pages", fails)
        for _ in range(2_000):
            await accept(spool, 1)
            if len(set(failed)) > 2:
                break
        await accept(
            spool, 30
        )  # a move from before the first failure may have let one of those above begin the log anew
        assert reaches(log_of, PAGES)
        assert len(set(failed)) > 2, "not tried again, on a connection of its own each time"
    await until_begun_anew(spool, log_of)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as connection:
        for setting in ("journal_mode = wal", "page_size = 4096", "wal_autocheckpoint = 0"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("CREATE TABLE t (x)")
        yield connection


def test_a_log_reaches_as_far_as_its_own_frames(database: sqlite3.Connection, tmp_path: Path) -> None:
    log = tmp_path / "db-wal"
    database.execute("INSERT INTO t VALUES (zeroblob(50000))")
    frames = (log.stat().st_size - 32) // FRAME
    assert [reaches(log, count) for count in (1, frames, frames + 1)] == [True, True, False]
    with closing(moving_connection(tmp_path / "db")) as mover:
        assert move_pages(mover)
    database.execute("INSERT INTO t VALUES (1)")  # begins the log anew: behind it lie the frames from before
    assert log.stat().st_size == 32 + frames * FRAME
    assert reaches(log, 1)
    assert not reaches(log, frames)


def test_no_log_and_an_empty_one_reach_nowhere(tmp_path: Path) -> None:
    log = tmp_path / "db-wal"
    assert not reaches(log, 1)
    log.touch()
    assert not reaches(log, 1)
