"""The writing connection: jobs in one transaction, and what an error of one means for the others.

When a job of a batch raises, the batch is rolled back and its jobs run one by one: only the guilty one fails. It is used by
one thread at a time; who that is, the committer decides. A transaction may be begun and filled by one thread (`ahead`) and
committed by another (`commit`), the turn of this process with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from gateway import metrics
from gateway.store.errors import StoreConflict, StoreDamaged, StoreUnavailable
from gateway.store.events import Seal
from gateway.store.failures import is_conflict, is_unavailable, unavailable
from gateway.store.group import Waiting, fail
from gateway.store.sqlite import begin_at_once, commit_now
from gateway.store.turn import NoTurn, Turn
from gateway.store.tx import Tx
from gateway.values import dataclass

TRIES = 5  # of a transaction that another process was in the way of


@dataclass(frozen=True, slots=True)
class Written:
    """A transaction that only lacks its COMMIT."""

    batch: Sequence[Waiting]
    connection: sa.Connection
    started: float

    def commit(self) -> None:
        commit_now(self.connection)


class Writer:
    """Owns the writing connection of this process. `told` hears of every failure of the store, on the thread that met it."""

    def __init__(
        self,
        engine: sa.Engine,
        seal: Seal,
        node: str,
        turn: Turn | NoTurn,
        told: Callable[[StoreUnavailable], None],
    ) -> None:
        self.seal = seal
        self._engine = engine
        self._node = node
        self._turn = turn
        self._told = told
        self._connection: sa.Connection | None = None

    def ahead(self, batch: Sequence[Waiting]) -> Written | None:
        """Run the jobs in a transaction without waiting for anybody; None, and nothing begun, where anything is in the way.

        The turn is ours; it is given back with the COMMIT, or here.
        """
        try:
            started = time.perf_counter()
            connection = self._connect()
            if begin_at_once(connection):
                self._run_jobs(connection, batch)
                return Written(batch, connection, started)
        except BaseException:  # who runs them again will meet it, and answer for it
            self.close()
        self._turn.give()
        return None

    def commit(self, written: Written) -> None:
        """Commit what was written ahead, and give the turn back. Each job has its error where that failed."""
        try:
            _commit(written)
        except BaseException as error:
            fail(written.batch, self._told_of(self._judged(error)))
            self.close()
        else:
            metrics.COMMIT_SECONDS.observe(time.perf_counter() - written.started)
        finally:
            self._turn.give()

    def settle(self, batch: Sequence[Waiting]) -> None:
        """Run and commit jobs, together where that is possible; each has its result or its error. The turn is the caller's."""
        error = self._persistently(batch) if batch else None
        if error is None:
            return
        if len(batch) == 1 or _concerns_all(error):
            fail(batch, error)
            return
        for number, waiting in enumerate(batch):
            waiting.error = self._persistently([waiting])
            if _concerns_all(waiting.error):  # the others need not each wait for the same time-out
                fail(batch[number + 1 :], waiting.error)
                return

    def close(self) -> None:
        """Close the connection; whatever state a failed one is in, the next transaction starts on a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _persistently(self, batch: Sequence[Waiting]) -> BaseException | None:
        """Run a transaction again while only another process, or a connection that was lost before COMMIT, is in its way.

        Damage is believed when a new connection meets it too: a disk that failed for a moment leaves pages that look like it.
        """
        error: BaseException | None = None
        doubted = False
        for _ in range(TRIES):
            if all(waiting.given_up for waiting in batch):
                return StoreUnavailable("nobody waits for it any more", concerns_all=True)
            error = self._transaction(batch)
            believed = not isinstance(error, StoreDamaged) or doubted or error.uncertain
            if not isinstance(error, StoreConflict) and believed:
                break
            doubted = isinstance(error, StoreDamaged)
        return self._told_of(error)

    def _transaction(self, batch: Sequence[Waiting]) -> BaseException | None:
        """Run jobs in one transaction; return why nothing of it was committed, or None."""
        started = time.perf_counter()
        try:
            connection = self._connect()
            with _begin(connection) as transaction:
                self._run_jobs(connection, batch)
                _commit(transaction)
        except BaseException as error:  # the thread must outlive whatever a job raises
            return self._judged(error)
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - started)
        return None

    def _run_jobs(self, connection: sa.Connection, batch: Sequence[Waiting]) -> None:
        tx = Tx(connection, self.seal, self._node)
        for waiting in batch:
            waiting.result = waiting.job(tx)
        tx.flush()
        tx.close()

    def _judged(self, error: BaseException) -> BaseException:
        if isinstance(error, StoreConflict):
            return error
        if isinstance(error, StoreUnavailable) or is_unavailable(error):
            self.close()
        if is_conflict(error):
            return StoreConflict(f"the database cannot write: {error}")
        if is_unavailable(error):
            error = unavailable(error, "the database cannot write")
        return error

    def _told_of(self, error: BaseException | None) -> BaseException | None:
        if isinstance(error, StoreUnavailable) and not isinstance(error, StoreConflict):
            self._told(error)
        return error

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            try:
                self._connection = self._engine.connect()
            except Exception as error:
                raise _for_all(error, "the database cannot be opened") from error
        return self._connection


def _concerns_all(error: BaseException | None) -> bool:
    return bool(getattr(error, "concerns_all", False))


def _begin(connection: sa.Connection) -> sa.RootTransaction:
    try:
        return connection.begin()
    except Exception as error:
        raise _for_all(error, "the database is locked or gone") from error


def _commit(transaction: sa.Transaction | Written) -> None:
    try:
        transaction.commit()
    except Exception as error:
        raise _for_all(error, "COMMIT failed", uncertain=True) from error


def _for_all(error: Exception, what: str, *, uncertain: bool = False) -> Exception:
    """Return the error of a transaction that no single job is guilty of: running its jobs one by one would not help."""
    if not isinstance(error, StoreUnavailable) and not is_unavailable(error):
        return error
    return unavailable(error, what, uncertain=uncertain, concerns_all=True)
