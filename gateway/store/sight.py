"""What can be seen of a PostgreSQL before anything is opened on it: `sekisho doctor` asks. Nothing is written or migrated."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from gateway.store import postgres
from gateway.store.errors import StoreMisconfigured, StoreUnavailable
from gateway.store.migrate import HEAD
from gateway.store.where import Where
from gateway.values import dataclass

QUESTIONS = 9  # of which the median round trip is told

_FIGURES = (
    "server_version",
    "synchronous_commit",
    "synchronous_standby_names",
    "statement_timeout",
    "lock_timeout",
    "max_connections",
)
_NODES = "SELECT DISTINCT node FROM nodes WHERE alive_until > EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 ORDER BY node"


@dataclass(frozen=True, slots=True)
class Sight:
    """`schema` is empty in a database that no gateway has opened yet; `keys` are the ids of the keys it was written under."""

    address: str
    figures: dict[str, str]
    schema: str
    keys: tuple[str, ...]
    nodes: tuple[str, ...]
    round_trip_ms: float

    @property
    def words(self) -> str:
        """Say it in one line."""
        figures = self.figures
        standby = figures["synchronous_standby_names"]
        return ", ".join(
            [
                f"PostgreSQL {figures['server_version'].split()[0]} at {self.address}",
                f"schema {self.schema}" if self.schema else f"empty: the first start makes schema {HEAD}",
                f"round trip {self.round_trip_ms:.2f} ms",
                f"synchronous_commit {figures['synchronous_commit']}",
                f"synchronous standby {standby}"
                if standby
                else "no synchronous standby: a failover could lose mail",
                f"time-outs {figures['statement_timeout']} a statement, {figures['lock_timeout']} a lock",
                f"{figures['max_connections']} connections",
                f"running: {', '.join(self.nodes) or 'no node'}",
            ]
        )


def look(where: Where) -> Sight:
    """Connect as a gateway does and look; raises StoreMisconfigured, StoreUnavailable."""
    try:
        with postgres.connect(where, autocommit=True) as connection:
            return _seen(connection)
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database cannot be reached: {_line(error)}") from error


def refuse_foreign_key(sight: Sight, key_ids: Sequence[str]) -> None:
    """Raise StoreMisconfigured where the database was written under other master keys."""
    if sight.keys and not set(sight.keys) & set(key_ids):
        raise StoreMisconfigured(
            f"the database was written under master key {', '.join(sight.keys)}; here is {', '.join(key_ids)}"
        )


def _seen(connection: psycopg.Connection[Any]) -> Sight:
    figures = {name: str(_one(connection, f"SHOW {name}")[0]) for name in _FIGURES}
    schema = _rows(connection, "alembic_version", "SELECT version_num FROM alembic_version")
    return Sight(
        address=f"{connection.info.host}:{connection.info.port}",
        figures=figures,
        schema=schema[0] if schema else "",
        keys=_rows(connection, "master_keys", "SELECT key_id FROM master_keys ORDER BY since"),
        nodes=_rows(connection, "nodes", _NODES),
        round_trip_ms=statistics.median(_round_trip(connection) for _ in range(QUESTIONS)) * 1_000,
    )


def _rows(connection: psycopg.Connection[Any], table: str, question: str) -> tuple[str, ...]:
    if _one(connection, f"SELECT to_regclass('{table}')")[0] is None:
        return ()
    return tuple(str(row[0]) for row in connection.execute(question.encode()))


def _one(connection: psycopg.Connection[Any], question: str) -> tuple[Any, ...]:
    return connection.execute(question.encode()).fetchone() or ("",)


def _round_trip(connection: psycopg.Connection[Any]) -> float:
    started = time.perf_counter()
    connection.execute("SELECT 1")
    return time.perf_counter() - started


def _line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
