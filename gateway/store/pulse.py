"""A node's sign of life, and the bell between nodes: one thread with one connection of its own.

Every few seconds the node says in `nodes` until when it lives, by the database's clock. It takes itself for dead sooner than
the others may: its own time begins before the question is sent and is shorter than what it writes. So a node that was cut off
stops before somebody takes over what it had leased. After such a gap all its earlier leases are void: its epoch is another.

The same connection listens: whoever committed work for others rings, at most ten times a second. Notifications are sent here
and not in the transactions, where PostgreSQL would let only one of them commit at a time. Lost bells cost a second:
everybody looks by himself as well.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from gateway.store import postgres
from gateway.store.errors import StoreMisconfigured, StoreUnavailable
from gateway.store.migrate import HEAD
from gateway.store.where import Where

CHANNEL = "sekisho"
BEATS = 4  # in the time after which a silent node is taken for dead
GRACE = 1.5  # times that time: when the others take over
RING_EVERY_S = 0.1
RECONNECT_S = 1.0
SKEW_S = 2.0  # between this clock and the database's, before it is worth a warning
FORGET = "1 day"  # after its end a node's row goes

_NOW = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"
_BEAT = (
    f"INSERT INTO nodes (owner, node, schema, alive_until) VALUES (%s, %s, %s, {_NOW} + %s)"  # noqa: S608 - constants
    f" ON CONFLICT (owner) DO UPDATE SET alive_until = {_NOW} + %s RETURNING {_NOW}"
)

log = structlog.get_logger()


class Pulse:
    """Beats from `start` to `close`. `epoch` is asked by any thread."""

    def __init__(self, where: Where, owner: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._where = where
        self._owner = owner
        self._monotonic = monotonic
        self._timeout = where.node_timeout.total_seconds()
        self._alive_until = float("-inf")
        self._epoch = 0
        self._ended = False
        self._heard: Callable[[], None] = lambda: None
        self._connection: psycopg.Connection[Any] | None = None
        self._wakes, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wakes, False)
        self._thread = threading.Thread(target=self._work, name="pulse", daemon=True)

    def start(self) -> None:
        """Give the first sign of life, then go on in a thread; raises what connecting raises."""
        self._beat()
        self._thread.start()

    def epoch(self) -> int | None:
        """Return the number of this life, None while others may take us for dead. Leases of another epoch are void."""
        return self._epoch if self._monotonic() < self._alive_until else None

    def on_bell(self, heard: Callable[[], None]) -> None:
        """Have `heard` called, on the pulse's thread, when another node rang."""
        self._heard = heard

    def ring(self) -> None:
        """Tell the other nodes that there may be work; returns at once."""
        with contextlib.suppress(BlockingIOError, OSError):  # full: it rings anyway
            os.write(self._wake, b"r")

    def close(self) -> None:
        """Stop, and tell the others that nothing is leased to us any more."""
        self._ended = True
        self.ring()
        if self._thread.is_alive():
            self._thread.join(self._timeout)
        with contextlib.suppress(psycopg.Error, StoreUnavailable, StoreMisconfigured):
            self._connected().execute("DELETE FROM nodes WHERE owner = %s", (self._owner,))
        self._disconnect()
        for end in (self._wakes, self._wake):
            os.close(end)

    def _work(self) -> None:
        next_beat = self._monotonic() + self._timeout / BEATS
        while not self._ended:
            try:
                self._wait(max(0.0, next_beat - self._monotonic()))
                if self._monotonic() >= next_beat:
                    self._beat()
                    next_beat = self._monotonic() + self._timeout / BEATS
            except (psycopg.Error, StoreUnavailable, StoreMisconfigured, OSError) as error:
                log.warning("pulse-missed", error=str(error).strip())
                self._disconnect()
                time.sleep(RECONNECT_S)
                next_beat = self._monotonic()
            except Exception:
                log.exception("pulse-failed")
                time.sleep(RECONNECT_S)

    def _wait(self, seconds: float) -> None:
        """Wait for a bell of ours or of others."""
        connection = self._connected()
        ready, _, _ = select.select([connection.fileno(), self._wakes], [], [], seconds)
        if self._wakes in ready and not self._ended:
            time.sleep(RING_EVERY_S)
            os.read(self._wakes, 1 << 16)
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, self._owner))
        if any(note.payload != self._owner for note in list(connection.notifies(timeout=0))):
            self._heard()

    def _beat(self) -> None:
        began = self._monotonic()
        lapsed = began >= self._alive_until
        until = round(self._timeout * GRACE * 1_000_000)
        row = self._connected().execute(_BEAT, (self._owner, self._where.node, HEAD, until, until)).fetchone()
        if lapsed:
            self._epoch += 1
        self._alive_until = began + self._timeout
        if row is not None:
            _watch_the_clock(row[0] / 1_000_000 - time.time())

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = postgres.connect(self._where, autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}")
            self._connection.execute(
                f"DELETE FROM nodes WHERE alive_until < {_NOW} - (EXTRACT(EPOCH FROM interval '{FORGET}') * 1000000)::bigint"  # noqa: S608
            )
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _watch_the_clock(ahead: float) -> None:
    if abs(ahead) > SKEW_S:
        log.warning("clock-differs", database_ahead_seconds=round(ahead, 3))
