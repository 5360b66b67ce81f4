"""Checkpoints beside the commits: what the write-ahead log holds is moved into the database on a thread of its own.

SQLite does it inside the COMMIT that makes the log long: every few hundred mails, everybody who waits for that COMMIT, and for
the next, waited for thousands of pages and two more syncs. Here the bulk is moved while others commit, and the rest in a turn
of our own, because SQLite begins the log anew only when a writer finds all of it moved. What is durable when stays as it is.
Where this thread fails or cannot keep up, COMMITs move the pages, at four times the length (sqlite.CHECKPOINT_PAGES).
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import structlog

from gateway.store.errors import StoreMisconfigured
from gateway.store.sqlite import CHECKPOINT_PAGES, move_pages, moving_connection
from gateway.store.turn import Turn
from gateway.store.wal import reaches

PAGES = CHECKPOINT_PAGES // 4
"""Pages in the log before they are moved, 16 MiB: a log that is seldom begun anew is a longer way for each read."""

EVERY_S = 0.05
"""Seconds between two looks at the log's length; one costs two small reads, and 16 MiB come in some 0.2 s at the fastest."""

READ_S = 0.5  # before the next try when a read that goes on, such as a backup, kept pages from being moved
FAILURE_S = 5.0  # before the next try when the disk failed

log = structlog.get_logger()


class Checkpoints:
    """Works from the beginning to `close`. `turn` is an open lock of its own, ours to close: it keeps our writers out."""

    def __init__(self, database: Path, turn: Turn) -> None:
        self._database = database
        self._wal = database.with_name(f"{database.name}-wal")
        self._turn = turn
        self._connection: sqlite3.Connection | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the checkpoint under way; what it has not moved stays in the log, which is as durable."""
        self._ended.set()
        self._thread.join()
        self._disconnect()
        self._turn.close()

    def _work(self) -> None:
        pause = EVERY_S
        while not self._ended.wait(pause):
            try:
                pause = EVERY_S if not reaches(self._wal, PAGES) or self._move() else READ_S
            except (sqlite3.Error, OSError, StoreMisconfigured) as error:
                log.warning("checkpoint-failed", cause=str(error))
                self._disconnect()
                pause = FAILURE_S

    def _move(self) -> bool:
        """Move all pages; tell whether that was possible."""
        if self._connection is None:
            self._connection = moving_connection(self._database)
        if move_pages(self._connection):
            return True
        with self._turn.taken():
            return move_pages(self._connection)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
