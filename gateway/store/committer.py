"""One thread that commits: whatever waits goes into one transaction (docs/decisions/0010-group-commit.md).

Where the database is a file of ours, small jobs write their rows from the event loop while the thread is idle, and the thread
does what waits: for another worker's turn to end, and for the disk at COMMIT. Two threads that share one interpreter at every
statement cost each other more than the statements do. Whatever is in the way of that (a large job, a command that writes, an
error) makes the thread do all of it.

A job is a function of a `Tx`; it may be run twice, so it touches nothing but the database. Its future resolves after COMMIT,
never before. A coroutine that is cancelled while it waits neither undoes nor loses its commit.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import TypeVar

import sqlalchemy as sa

from gateway.store.errors import StoreUnavailable
from gateway.store.events import Seal
from gateway.store.group import (
    Waiting,
    fail,
    hand_back,
    refuse,
    release_bodies,
    take,
    with_durable_bodies,
)
from gateway.store.segments import Pending, Segments
from gateway.store.turn import NoTurn, Turn
from gateway.store.tx import Tx
from gateway.store.writer import Writer, Written

T = TypeVar("T")

# Jobs in one transaction: bounds how long a reader's snapshot and the WAL grow between commits.
BATCH_LIMIT = 256
SMALL_BATCH_LIMIT = 32  # small jobs that the event loop writes in one go: 0.06 to 0.4 ms each
QUEUE_LIMIT = 4_096  # jobs waiting; each may hold an inline body of 64 KiB, so 256 MiB at most
STUCK_S = 30.0  # what takes longer hangs: SQLite waits 5 s for a lock, and is asked five times
STUCK_THREAD_SECONDS = 60.0  # close() gives the last commit this long


class _Writing(Enum):
    """Who uses the writing connection or waits for the turn; what the loop has written is the thread's, to commit."""

    NOBODY = auto()
    LOOP = auto()
    THREAD = auto()


class _Task(Enum):
    """What the thread does next, beside a COMMIT of what the loop wrote."""

    TAKE_TURN = auto()
    WRITE = auto()


class Committer:
    """Runs the jobs of this process. `told` hears of every failure of the store, on the committing thread."""

    def __init__(
        self,
        engine: sa.Engine,
        seal: Seal,
        node: str = "",
        turn: Turn | None = None,
        told: Callable[[StoreUnavailable], None] = lambda error: None,
        segments: Segments | None = None,
    ) -> None:
        self._turn = turn or NoTurn()
        self._writer = Writer(engine, seal, node, self._turn, told)
        self._segments = segments
        self._on_loop = engine.dialect.name == "sqlite"  # a statement to a server is a wait
        self._waiting: deque[Waiting] = deque()
        self._written: Written | None = None
        self._writing = _Writing.NOBODY
        self._asked: asyncio.AbstractEventLoop | None = None  # the loop that is going to write what waits
        self._thread_wanted = False
        self._turn_wanted = False  # the loop writes when it is ours
        self._closing = False
        self._under_way: Sequence[Waiting] = ()
        self._busy_since: float | None = None  # monotonic, while the thread waits for a turn or a disk
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[Tx], T], pending: Pending | None = None, *, small: bool = False) -> T:
        """Run a job in a transaction; return its result after COMMIT. Raises StoreUnavailable, or what the job raised.

        A body that is `pending` is durable before the transaction begins; it is dropped where that fails.
        A `small` job writes a bounded number of rows and reads next to nothing: it may run on the event loop.
        """
        loop = asyncio.get_running_loop()
        waiting = Waiting(job, loop, loop.create_future(), pending)
        with self._changed:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            if len(self._waiting) >= QUEUE_LIMIT:
                raise StoreUnavailable(f"{QUEUE_LIMIT} jobs already wait for the store")
            self._waiting.append(waiting)
            if pending is not None or not (small and self._on_loop):
                self._call_thread()
            elif self._writing is _Writing.NOBODY and (self._asked is None or self._asked.is_closed()):
                self._asked = loop
                loop.call_soon(self._write_ahead)
        result: T = await waiting.future
        return result

    def adopt(self, seal: Seal) -> None:
        """Seal the chain's head with another key from the next transaction on."""
        self._writer.seal = seal

    @property
    def stuck(self) -> bool:
        """Tell whether something has been under way for longer than it may take: a disk or another worker's turn hangs."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > STUCK_S

    def give_up(self) -> None:
        """Answer everybody who waits with StoreUnavailable: the database does not. What is under way may be committed yet."""
        with self._changed:
            unanswered = [(waiting, True) for waiting in self._under_way]
            unanswered += [(waiting, False) for waiting in self._waiting]
            self._waiting.clear()  # it will not be run
        for waiting, uncertain in unanswered:
            waiting.given_up = True
            error = StoreUnavailable("the database does not answer", uncertain=uncertain, concerns_all=True)
            if not waiting.loop.is_closed():
                waiting.loop.call_soon_threadsafe(refuse, waiting.future, error)

    def close(self) -> None:
        """Commit what waits, then stop the thread. Jobs handed over later are refused."""
        with self._changed:
            self._closing = True
            self._call_thread()
        self._thread.join(STUCK_THREAD_SECONDS)

    def _call_thread(self) -> None:
        self._thread_wanted = True
        self._changed.notify()

    def _write_ahead(self) -> None:
        """On the event loop: write what waits, and leave the COMMIT to the thread, or all of it."""
        with self._changed:
            self._asked = None
            if self._writing is not _Writing.NOBODY or self._thread_wanted:
                return  # the thread takes it
            if not self._turn.take_at_once():
                self._writing, self._turn_wanted = _Writing.THREAD, True
                self._changed.notify()
                return
            if not self._waiting:  # everybody was told that it failed
                self._turn.give()
                return
            self._writing = _Writing.LOOP
            batch = self._under_way = take(self._waiting, SMALL_BATCH_LIMIT)
        written = self._writer.ahead(batch)
        with self._changed:
            self._writing = _Writing.NOBODY if written is None else _Writing.THREAD
            self._written = written
            if written is None:
                self._under_way = ()
                self._waiting.extendleft(reversed(batch))
                self._thread_wanted = True
            self._changed.notify()

    def _work(self) -> None:
        while (work := self._next_work()) is not None:
            self._busy_since = time.monotonic()
            if work is _Task.TAKE_TURN:
                self._take_turn()
                continue
            if isinstance(work, Written):
                batch = work.batch
                self._writer.commit(work)
            else:
                batch = self._write_here()
            release_bodies(batch, self._segments)
            hand_back(batch)
            self._rest()
        self._writer.close()

    def _next_work(self) -> Written | _Task | None:
        """Wait for a transaction to commit, or for something else to do; None when all is done."""
        with self._changed:
            while True:
                if self._written is not None:
                    work, self._written = self._written, None
                    return work
                if self._turn_wanted:
                    self._turn_wanted = False
                    return _Task.TAKE_TURN
                if self._writing is _Writing.NOBODY and self._thread_wanted:
                    if self._waiting:
                        self._writing = _Writing.THREAD
                        return _Task.WRITE
                    self._thread_wanted = False
                    self._turn.give()  # taken for somebody who was told meanwhile that it failed
                    if self._closing:
                        return None
                self._changed.wait()

    def _take_turn(self) -> None:
        """Wait for the turn, and have the loop write then; it is kept until what the loop wrote is committed."""
        try:
            self._turn.take()
        except OSError:  # who writes here meets it again, and answers for it
            with self._changed:
                self._thread_wanted = True
        self._rest()

    def _write_here(self) -> Sequence[Waiting]:
        """Take the turn, then whatever came until then, and commit it."""
        try:
            with self._turn.taken():
                batch = self._next_batch()
                self._writer.settle(with_durable_bodies(batch, self._segments))
        except OSError as error:  # the lock of the turns: nothing was begun
            batch = self._next_batch()
            fail(batch, StoreUnavailable(f"writing.lock cannot be had: {error}"))
        return batch

    def _next_batch(self) -> Sequence[Waiting]:
        with self._changed:
            batch = self._under_way = take(self._waiting, BATCH_LIMIT)
            self._thread_wanted = bool(self._waiting) or self._closing
            return batch

    def _rest(self) -> None:
        """Let go of the connection, and have what came meanwhile written."""
        self._busy_since = None
        with self._changed:
            self._writing, self._under_way = _Writing.NOBODY, ()
            if self._thread_wanted:
                return
            if not self._waiting:
                self._turn.give()
                return
            self._asked = self._waiting[0].loop
            try:
                self._asked.call_soon_threadsafe(self._write_ahead)
            except RuntimeError:  # it was closed
                self._asked = None
                self._thread_wanted = True
