"""Whether nobody works on a shared database: asked before something is done to it that no gateway may see half done."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from gateway.store import postgres
from gateway.store.errors import StateInUse, StoreUnavailable
from gateway.store.where import Where

Connection = psycopg.Connection[tuple[object, ...]]

GOING_S = 3.0  # the server takes a moment to see that a command, our own too, hung up
LOOK_S = 0.2
LONGEST_S = 460.0  # the longest store.node_timeout, one and a half times, and some more

_CONNECTED = (
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND application_name LIKE 'sekisho %' ORDER BY 1"
)
_SIGNS = (
    "SELECT to_regclass('nodes') IS NOT NULL",
    "SELECT node, alive_until / 1e6 - EXTRACT(EPOCH FROM clock_timestamp()) FROM nodes ORDER BY alive_until DESC LIMIT 1",
)


def wait_for_silence(
    where: Where, tell: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return when no gateway or command is connected and no sign of life is valid any more.

    Signs of life that came with a dump end by themselves and are waited for, LONGEST_S at most. Raises StateInUse where
    somebody works on the database, StoreUnavailable.
    """
    try:
        with postgres.connect(where, autocommit=True) as connection:
            _refuse_company(connection, sleep)
            node, seconds = _last_sign(connection)
            if seconds > LONGEST_S:
                raise StateInUse(
                    f"node {node} says that it lives for another {seconds:.0f} s: are the clocks right?"
                )
            if seconds > 0:
                tell(
                    f"node {node} said in this database that it lives: waiting {seconds:.0f} s for that to end"
                )
                sleep(seconds)
                _refuse_company(connection, sleep)
                node, seconds = _last_sign(connection)
            if seconds > 0:
                raise StateInUse(f"node {node} lives: stop every gateway first")
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database cannot be reached: {error}") from error


def _refuse_company(connection: Connection, sleep: Callable[[float], None]) -> None:
    """Raise StateInUse where a gateway or a command has a connection beside this one, and keeps it for GOING_S."""
    for _ in range(round(GOING_S / LOOK_S)):
        if not (others := _company(connection)):
            return
        sleep(LOOK_S)
    raise StateInUse(f"{', '.join(others)} works on this database: stop every gateway first")


def _company(connection: Connection) -> list[str]:
    return [str(name).removeprefix("sekisho ") for (name,) in connection.execute(_CONNECTED)]


def _last_sign(connection: Connection) -> tuple[str, float]:
    """Return the node that lives longest by its own word, and for how many seconds; none for an empty database."""
    exists, last = _SIGNS
    if connection.execute(exists.encode()).fetchone() != (True,):
        return "", 0.0
    row = connection.execute(last.encode()).fetchone()
    return (str(row[0]), float(str(row[1]))) if row is not None else ("", 0.0)
