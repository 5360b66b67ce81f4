"""Everything that is particular to PostgreSQL: how to connect, what to demand of it, what its errors mean.

A connection is refused unless commits are synchronous, the server syncs, the encoding is UTF-8 and the time-outs are read back
as set: 250 means durable, and no lock, statement or dead peer may hold up a gateway for long. A standby is refused, too, but
as a failure that passes: a failover may be under way.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.pool import QueuePool

from gateway.store.errors import StoreMisconfigured, StoreUnavailable
from gateway.store.where import Where

READERS = 4
PREPARED = 300  # statements kept prepared: our own, and inserts into each table for each number of rows
CONNECT_TIMEOUT_S = 5  # for each host of the URL
DEAD_PEER = timedelta(seconds=10)  # octets unacknowledged for so long: the network was cut
STATEMENT_TIMEOUT = timedelta(seconds=30)
LOCK_TIMEOUT = timedelta(seconds=10)
IDLE_IN_TRANSACTION = timedelta(seconds=60)  # the server drops the locks of a node that was cut off

MIGRATION_LOCK = 0x5E_15_10  # any number will do: it is ours among the advisory locks of our database

_TIMEOUTS = {
    "statement_timeout": STATEMENT_TIMEOUT,
    "lock_timeout": LOCK_TIMEOUT,
    "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION,
}
# How soon the server drops a node that was cut off, with what it has locked; no failure where it is a local socket.
_WATCH = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}
_DEMANDED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "server_encoding": ("UTF8",),
    "client_encoding": ("UTF8",),
}

# Classes and codes of SQLSTATE that say "not now" and not "wrong": connection, resources, operator, system, internal.
_NOT_NOW = ("08", "53", "57", "58", "XX")
# Locked, read-only now, idle too long, starting.
_NOT_NOW_CODES = frozenset({"55P03", "25006", "25P03", "55000"})
_CONFLICT = frozenset({"40001", "40P01"})  # serialization failure, deadlock: the same again will do
_WARNING = "01000"
_FULL = frozenset({"53100"})


class Durable(psycopg.Connection[Any]):
    """A connection whose `commit` raises where the server warns that it did not wait for its standby.

    When somebody cancels that wait, PostgreSQL says COMMIT all the same and only warns: the transaction is on one disk, not on
    two, and a failover would lose it.
    """

    def commit(self) -> None:
        warnings: list[str] = []

        def heard(diagnostic: psycopg.errors.Diagnostic) -> None:
            if diagnostic.sqlstate == _WARNING:
                warnings.append(diagnostic.message_primary or "")

        self.add_notice_handler(heard)
        try:
            super().commit()
        finally:
            self.remove_notice_handler(heard)
        if warnings:
            raise psycopg.OperationalError(f"COMMIT with a warning: {warnings[0]}")


def connection_settings(where: Where, *, writes: bool) -> dict[str, Any]:
    """Return what libpq is told: the URL's own words, and ours where it says nothing."""
    ours: dict[str, Any] = {
        "target_session_attrs": "read-write" if writes else "primary",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": _milliseconds(DEAD_PEER),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "application_name": f"sekisho {where.node}",
    }
    settings = ours | {
        name: value for name, value in conninfo_to_dict(where.url).items() if value is not None
    }
    if not writes:
        settings["target_session_attrs"] = ours["target_session_attrs"]
    if where.password:
        settings["password"] = where.password
    return settings


def connect(where: Where, *, writes: bool = True, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Open one connection that gives what is demanded; raises StoreMisconfigured, StoreUnavailable or psycopg.Error."""
    connection = Durable.connect(**connection_settings(where, writes=writes), autocommit=autocommit)
    connection.prepared_max = PREPARED
    try:
        _configure(connection, writes=writes)
    except BaseException:
        connection.close()
        raise
    return connection


def writer_engine(where: Where) -> sa.Engine:
    """Return the engine for the one writing connection of this process; READ COMMITTED, rows are locked or compared."""
    return _engine(where, writes=True, size=1)


def reader_engine(where: Where) -> sa.Engine:
    """Return the engine for reads: each transaction is one snapshot and cannot write."""
    return _engine(where, writes=False, size=READERS)


def chunk_engine(where: Where) -> sa.Engine:
    """Return the engine for large bodies: they are written beside the committer, not through it."""
    return _engine(where, writes=True, size=READERS)


def lock_for_migration(connection: sa.Connection) -> None:
    """Let one node at a time look at the schema and change it, however long that takes; until the transaction ends."""
    for name in ("statement_timeout", "lock_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def is_unavailable(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot work now, not that our SQL is wrong."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return False
    code = cause.sqlstate
    if code is None:
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return code.startswith(_NOT_NOW) or code in _NOT_NOW_CODES or code in _CONFLICT


def is_conflict(error: BaseException) -> bool:
    """Tell whether the transaction only has to be run again: a deadlock, or a connection that had died unnoticed."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, psycopg.OperationalError)
    return cause.sqlstate in _CONFLICT or cause.sqlstate.startswith("57P")


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that the server's disk is full."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return isinstance(cause, psycopg.Error) and cause.sqlstate in _FULL


def _engine(where: Where, *, writes: bool, size: int) -> sa.Engine:
    return sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(where, writes=writes),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=not writes,  # after a failover a reader's first question should not fail for each connection
    )


def _configure(connection: psycopg.Connection[Any], *, writes: bool) -> None:
    with connection.cursor() as cursor:
        for name, span in _TIMEOUTS.items():
            cursor.execute(f"SET {name} = {_milliseconds(span)}".encode())
        for name, number in _WATCH.items():
            cursor.execute(f"SET {name} = {number}".encode())
        level = "read committed" if writes else "repeatable read"
        cursor.execute(f"SET default_transaction_isolation = '{level}'".encode())
        if _asked(cursor, "synchronous_commit") not in _DEMANDED["synchronous_commit"]:
            cursor.execute("SET synchronous_commit = on")
        if not writes:
            cursor.execute("SET default_transaction_read_only = on")
        _read_back(cursor, level)
        if _asked(cursor, "in_hot_standby") == "on":
            raise StoreUnavailable("the database is a standby: it cannot be written to")
    if not connection.autocommit:
        connection.commit()


def _read_back(cursor: psycopg.Cursor[Any], level: str) -> None:
    for name, wanted in {**_DEMANDED, "default_transaction_isolation": (level,)}.items():
        got = _asked(cursor, name)
        if got not in wanted:
            raise StoreMisconfigured(f"PostgreSQL has {name} = {got}, and {' or '.join(wanted)} is needed")
    for name, span in _TIMEOUTS.items():
        cursor.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,))
        (got,) = cursor.fetchone() or ("",)
        if got != str(_milliseconds(span)):
            raise StoreMisconfigured(f"PostgreSQL has {name} = {got} ms where {_milliseconds(span)} was set")


def _asked(cursor: psycopg.Cursor[Any], name: str) -> str:
    cursor.execute("SELECT current_setting(%s)", (name,))
    (got,) = cursor.fetchone() or ("",)
    return str(got)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
