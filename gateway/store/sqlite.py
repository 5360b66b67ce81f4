"""Everything that is particular to SQLite: how to connect, what to demand of it, what its errors mean.

A connection is refused unless WAL, synchronous=FULL, foreign keys and the busy timeout are read back as set: 250 means
durable. Transactions are explicit: writers say BEGIN IMMEDIATE, so that what a transaction has read cannot change before
it writes, whichever process it runs in.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from gateway.store.errors import StoreMisconfigured

# What the driver writes as it is: with neither, it asks such a value and its type how to, and drops two errors, for each.
sqlite3.register_adapter(bytes, bytes)
sqlite3.register_adapter(type(None), lambda nothing: nothing)

# Another process (the command line) may hold the write lock for one short transaction.
BUSY_TIMEOUT_MS = 5_000
# Of WAL, 64 MiB, before a COMMIT moves them itself: checkpoints.py does it much sooner.
CHECKPOINT_PAGES = 16_000
CACHE_KIB = 32 << 10  # per connection: the indexes of a million held recipients stay in memory
READERS = 4

_DEMANDED: tuple[tuple[str, object], ...] = (
    ("journal_mode", "wal"),
    ("synchronous", 2),  # FULL: fsync of the WAL on every commit
    ("foreign_keys", 1),
    ("busy_timeout", BUSY_TIMEOUT_MS),
    ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ("cache_size", -CACHE_KIB),
    ("secure_delete", 1),  # a destroyed key is overwritten, not only forgotten
)


def writer_engine(path: Path) -> sa.Engine:
    """Return the engine for the one writing connection of this process; its transactions take the write lock at once.

    It looks closer at each page it loads: what it took for sound it might write into.
    """
    return _engine(path, begin="BEGIN IMMEDIATE", demanded=(*_DEMANDED, ("cell_size_check", 1)), size=1)


def reader_engine(path: Path) -> sa.Engine:
    """Return the engine for reads; its connections cannot write, and in WAL they never wait for the writer."""
    return _engine(path, begin="BEGIN", demanded=(*_DEMANDED, ("query_only", 1)), size=READERS)


def begin_at_once(connection: sa.Connection) -> bool:
    """Begin a writing transaction on the driver's own connection; return False where another process is writing."""
    driver = _driver(connection)
    driver.execute("PRAGMA busy_timeout = 0").close()
    try:
        driver.execute("BEGIN IMMEDIATE").close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
    return True


def commit_now(connection: sa.Connection) -> None:
    """Commit what `begin_at_once` began; durable on return."""
    _driver(connection).execute("COMMIT").close()


def moving_connection(path: Path) -> sqlite3.Connection:
    """Open a connection for `move_pages`; it never waits for others."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for name, value in (*_DEMANDED, ("busy_timeout", 0)):
            _demand(connection, name, value)
    except BaseException:
        connection.close()
        raise
    return connection


def move_pages(connection: sqlite3.Connection) -> bool:
    """Move pages of the WAL into the database, synced, while others read and write; tell whether all of them were."""
    busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return not busy and bool(pages == moved)


def is_unavailable(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot work now (full, locked, I/O), not that our SQL is wrong."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    ours = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)
    return isinstance(cause, sqlite3.Error | OSError) and not isinstance(cause, ours)


def is_damaged(error: BaseException) -> bool:
    """Tell whether an error says that the file is not what SQLite wrote."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_OK) if isinstance(cause, sqlite3.Error) else 0
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that the disk, the quota or the file size allowed is used up."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"not a connection to SQLite: {type(driver).__name__}")
    return driver


def _engine(path: Path, begin: str, demanded: tuple[tuple[str, object], ...], size: int) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        paramstyle="named",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"isolation_level": None, "check_same_thread": False, "cached_statements": 256},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        for name, value in demanded:
            _demand(connection, name, value)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _demand(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute(f"PRAGMA {name} = {value}").close()
    (got,) = connection.execute(f"PRAGMA {name}").fetchone()
    if got != value:
        raise StoreMisconfigured(
            f"SQLite gives {name} = {got!r} where {value!r} was set; refusing to work without it"
        )
