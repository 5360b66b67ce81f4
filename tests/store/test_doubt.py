"""A page that looks damaged once, because the disk failed for a moment, is no damage; one that does so again is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import pytest

from gateway.store.database import Database
from gateway.store.errors import StoreDamaged
from gateway.store.tx import Queries
from tests.store.test_committer import count, write

TIMES = [(1, False), (2, True)]


def malformed(times: int) -> Callable[[Queries], None]:
    """Fail like a damaged page, so many times."""
    left: Iterator[int] = iter(range(times))

    def meet(queries: Queries) -> None:
        if next(left, None) is not None:
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

    return meet


@pytest.mark.parametrize(("times", "believed"), TIMES)
async def test_what_is_read(database: Database, times: int, believed: bool) -> None:
    meet = malformed(times)
    if believed:
        with pytest.raises(StoreDamaged, match="malformed"):
            await database.readers.run(meet)
    else:
        await database.readers.run(meet)
    assert bool(database.damage.first) == believed
    assert count(database) == 0  # on a connection that works


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize(("times", "believed"), TIMES)
async def test_what_is_written(database: Database, times: int, believed: bool, small: bool) -> None:
    meet = malformed(times + small)  # the event loop leaves it to the thread

    def job(tx: Queries) -> None:
        meet(tx)

    if believed:
        with pytest.raises(StoreDamaged, match="malformed"):
            await database.committer.run(job, small=small)
    else:
        await database.committer.run(job, small=small)
    assert bool(database.damage.first) == believed
    await database.committer.run(write)
    assert count(database) == 1
