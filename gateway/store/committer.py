"""One thread that commits: whatever waits goes into one transaction (docs/decisions/0010-group-commit.md).

A job is a function of a `Tx`; it may be run twice, so it touches nothing but the database. Its future resolves after COMMIT,
never before. When a job of a batch raises, the batch is rolled back and its jobs run one by one: only the guilty one fails.
A coroutine that is cancelled while it waits neither undoes nor loses its commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from gateway import metrics
from gateway.store.errors import StoreConflict, StoreUnavailable
from gateway.store.events import Seal
from gateway.store.failures import is_conflict, is_unavailable, unavailable
from gateway.store.segments import Pending, Segments
from gateway.store.turn import Turn
from gateway.store.tx import Tx

T = TypeVar("T")
Job = Callable[[Tx], Any]

BATCH_LIMIT = (
    256  # jobs in one transaction: bounds how long a reader's snapshot and the WAL grow between commits
)
QUEUE_LIMIT = 4_096  # jobs waiting; each may hold an inline body of 64 KiB, so 256 MiB at most
TRIES = 5  # of a transaction that another process was in the way of
STUCK_THREAD_SECONDS = 60.0  # close() gives the last commit this long


@dataclass(slots=True)
class _Waiting:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    pending: Pending | None = None
    result: Any = None
    error: BaseException | None = field(default=None)
    given_up: bool = False  # its caller was told that it failed: it is not tried again


class Committer:
    """Owns the writing connection of this process. `told` hears of every failure of the store, on the committing thread."""

    def __init__(
        self,
        engine: sa.Engine,
        seal: Seal,
        node: str = "",
        turn: Turn | None = None,
        told: Callable[[StoreUnavailable], None] = lambda error: None,
        segments: Segments | None = None,
    ) -> None:
        self._segments = segments
        self._engine = engine
        self._told = told
        self._seal = seal
        self._node = node
        self._turn = turn.taken if turn is not None else contextlib.nullcontext
        self._connection: sa.Connection | None = None
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = False
        self._under_way: list[_Waiting] = []
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[Tx], T], pending: Pending | None = None) -> T:
        """Run a job in a transaction; return its result after COMMIT. Raises StoreUnavailable, or what the job raised.

        A body that is `pending` is durable before the transaction begins; it is dropped where that fails.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, loop, loop.create_future(), pending)
        with self._guard:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            if self._queue.qsize() >= QUEUE_LIMIT:
                raise StoreUnavailable(f"{QUEUE_LIMIT} jobs already wait for the store")
            self._queue.put(waiting)
        result: T = await waiting.future
        return result

    def adopt(self, seal: Seal) -> None:
        """Seal the chain's head with another key from the next transaction on."""
        self._seal = seal

    def give_up(self) -> None:
        """Answer everybody who waits with StoreUnavailable: the database does not. What is under way may be committed yet."""
        error = StoreUnavailable("the database does not answer", uncertain=True, concerns_all=True)
        for waiting in (*self._under_way, *self._not_begun()):
            waiting.given_up = True
            if not waiting.loop.is_closed():
                waiting.loop.call_soon_threadsafe(_refuse, waiting.future, error)

    def _not_begun(self) -> list[_Waiting]:
        """Take back what stands behind the transaction under way: it will not be run."""
        found: list[_Waiting] = []
        with contextlib.suppress(queue.Empty):
            while (waiting := self._queue.get_nowait()) is not None:
                found.append(waiting)
            self._queue.put(None)  # the last of all: the end
        return found

    def close(self) -> None:
        """Commit what waits, then stop the thread. Jobs handed over later are refused."""
        with self._guard:
            if not self._closing:
                self._closing = True
                self._queue.put(None)
        self._thread.join(STUCK_THREAD_SECONDS)

    def _work(self) -> None:
        running = True
        while running:
            first = self._queue.get()
            try:
                with self._turn():  # what comes while we wait for it goes into the same transaction
                    batch, running = self._next_batch(first)
                    self._settle_all(batch)
            except OSError as error:  # the lock of the turns: nothing was begun
                batch, running = self._next_batch(first)
                for waiting in batch:
                    waiting.error = StoreUnavailable(f"writing.lock cannot be had: {error}")
            self._release(batch)
            _hand_back(batch)
        self._drop_connection()

    def _next_batch(self, first: _Waiting | None) -> tuple[list[_Waiting], bool]:
        batch = self._under_way = list[_Waiting]()
        while first is not None:
            batch.append(first)
            if len(batch) >= BATCH_LIMIT:
                return batch, True
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _settle_all(self, batch: Sequence[_Waiting]) -> None:
        """Make the group's bodies durable, then commit the jobs whose body is."""
        bodies = [waiting.pending for waiting in batch if waiting.pending is not None]
        if bodies and self._segments is not None:
            self._segments.settle(bodies)
        for waiting in batch:
            waiting.error = waiting.pending.error if waiting.pending is not None else None
        whole = [waiting for waiting in batch if waiting.error is None]
        if whole:
            self._settle(whole)

    def _release(self, batch: Sequence[_Waiting]) -> None:
        """Let go of bodies that have their row or never will; an uncertain COMMIT keeps its segment in use until we end."""
        for waiting in batch:
            if self._segments is None or waiting.pending is None:
                continue
            if not getattr(waiting.error, "uncertain", False):
                self._segments.release(waiting.pending)

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        error = self._persistently(batch)
        if error is None:
            return
        if len(batch) == 1 or _concerns_all(error):
            _fail(batch, error)
            return
        for number, waiting in enumerate(batch):
            waiting.error = self._persistently([waiting])
            if _concerns_all(waiting.error):  # the others need not each wait for the same time-out
                _fail(batch[number + 1 :], waiting.error)
                return

    def _persistently(self, batch: Sequence[_Waiting]) -> BaseException | None:
        """Run a transaction again while only another process, or a connection that was lost before COMMIT, is in its way."""
        error: BaseException | None = None
        for _ in range(TRIES):
            if all(waiting.given_up for waiting in batch):
                return StoreUnavailable("nobody waits for it any more", concerns_all=True)
            error = self._transaction(batch)
            if not isinstance(error, StoreConflict):
                return error
        return error

    def _transaction(self, batch: Sequence[_Waiting]) -> BaseException | None:
        """Run jobs in one transaction; return why nothing of it was committed, or None."""
        started = time.perf_counter()
        try:
            connection = self._connect()
            with _begin(connection) as transaction:
                tx = Tx(connection, self._seal, self._node)
                for waiting in batch:
                    waiting.result = waiting.job(tx)
                tx.flush()
                tx.close()
                _commit(transaction)
        except BaseException as error:  # the thread must outlive whatever a job raises
            return self._judged(error)
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - started)
        return None

    def _judged(self, error: BaseException) -> BaseException:
        if isinstance(error, StoreConflict):
            return error
        if isinstance(error, StoreUnavailable) or is_unavailable(error):
            self._drop_connection()
        if is_conflict(error):
            return StoreConflict(f"the database cannot write: {error}")
        if is_unavailable(error):
            error = unavailable(error, "the database cannot write")
        if isinstance(error, StoreUnavailable):
            self._told(error)
        return error

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            try:
                self._connection = self._engine.connect()
            except Exception as error:
                raise _for_all(error, "the database cannot be opened") from error
        return self._connection

    def _drop_connection(self) -> None:
        """Close the connection; whatever state a failed one is in, the next transaction starts on a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _concerns_all(error: BaseException | None) -> bool:
    return bool(getattr(error, "concerns_all", False))


def _fail(batch: Sequence[_Waiting], error: BaseException | None) -> None:
    for waiting in batch:
        waiting.error = error


def _begin(connection: sa.Connection) -> sa.RootTransaction:
    try:
        return connection.begin()
    except Exception as error:
        raise _for_all(error, "the database is locked or gone") from error


def _commit(transaction: sa.Transaction) -> None:
    try:
        transaction.commit()
    except Exception as error:
        raise _for_all(error, "COMMIT failed", uncertain=True) from error


def _for_all(error: Exception, what: str, *, uncertain: bool = False) -> Exception:
    """Return the error of a transaction that no single job is guilty of: running its jobs one by one would not help."""
    if not isinstance(error, StoreUnavailable) and not is_unavailable(error):
        return error
    return unavailable(error, what, uncertain=uncertain, concerns_all=True)


def _hand_back(batch: Sequence[_Waiting]) -> None:
    """Wake each event loop once for all of its jobs."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = defaultdict(list)
    for waiting in batch:
        by_loop[waiting.loop].append(waiting)
    for loop, done in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, done)


def _refuse(future: asyncio.Future[Any], error: StoreUnavailable) -> None:
    if not future.done():
        future.set_exception(error)


def _resolve(done: Sequence[_Waiting]) -> None:
    for waiting in done:
        if waiting.future.done():  # its coroutine was cancelled; the commit stands all the same
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)
