"""The bodies of mails between the event loop and the store: sealed and synced before their rows, opened, set aside, forgotten.

A small body goes with its row and costs the loop a few microseconds; a large one is encrypted, written and synced on threads.
No file is left without a row, whatever happens to the caller, unless the process itself dies: then the next sweep finds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gateway.clock import Clock
from gateway.spool import reading
from gateway.spool.contract import BodyUnreadable, StoreDamaged, known
from gateway.spool.corruption import mark_corrupt
from gateway.spool.past_damage import PastDamage
from gateway.spool.times import to_us
from gateway.store.bodies import INLINE_LIMIT, PURGED, Body
from gateway.store.database import Database
from gateway.store.errors import BodyDamaged, BodyRefused, StoreUnavailable
from gateway.store.reclaim import rewrite_sparse
from gateway.store.tx import Tx

T = TypeVar("T")
WithBody = Callable[[Body], Callable[[Tx], T]]  # the job that writes the rows which belong to a body

THREADS = 4  # large bodies encrypted and synced at once


class BodiesOfMail:
    """Keeps the bodies of one database's mails."""

    def __init__(self, database: Database, past_damage: PastDamage, clock: Clock) -> None:
        self._db = database
        self._past_damage = past_damage
        self._clock = clock
        self._storing: set[asyncio.Task[Any]] = set()  # an event loop keeps no reference to its tasks
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bodies")

    async def settled(self) -> None:
        """Wait until nothing is being stored."""
        while self._storing:
            await asyncio.wait(self._storing)

    def close(self) -> None:
        """End the threads; later calls raise StoreUnavailable."""
        self._threads.shutdown()

    async def store(self, raw: bytes, queue_id: str, job: WithBody[T], *, small: bool = False) -> T:
        """Encrypt a body and commit what goes with it; a large one off the event loop, because it is written and synced.

        A caller that is cancelled meanwhile leaves no file without a row: the work goes on without it.
        """
        if len(raw) <= INLINE_LIMIT:
            return await self._commit(self._db.bodies.seal(raw, queue_id), job, small)
        task = asyncio.create_task(self._store_large(raw, queue_id, job))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)
        return await asyncio.shield(task)

    async def raw(self, queue_id: str) -> bytes:
        """Return the original octets; raises UnknownMessage or BodyUnreadable."""
        body = known(await self._row(queue_id), queue_id)
        if body.place == PURGED:
            raise BodyUnreadable(f"the body of {queue_id} was deleted: its time to be kept is over")
        try:
            return await self._opened(body)
        except BodyRefused as error:  # nothing is known to be damaged: no event, nothing set aside
            raise BodyUnreadable(str(error)) from error
        except BodyDamaged as error:
            await self._set_aside(body, str(error))
            raise BodyUnreadable(str(error)) from error

    async def discard(self, queue_ids: Iterable[str]) -> None:
        """Remove the files of purged bodies."""
        for queue_id in queue_ids:
            await self._aside(self._db.bodies.discard, queue_id)

    async def reclaim(self) -> None:
        """Give back the room of purged bodies that lay in segments; the worker with the lock does it for all."""
        db = self._db
        if db.segments is None or not db.instance.exclusive:
            return
        await self._aside(db.remove_dead_segments)  # first: on a full disk nothing can be rewritten before
        if await rewrite_sparse(db.segments, db.readers, db.committer, self._aside):
            await self._aside(db.remove_dead_segments)

    async def _store_large(self, raw: bytes, queue_id: str, job: WithBody[T]) -> T:
        body = await self._aside(self._db.bodies.seal, raw, queue_id)
        try:
            return await self._commit(body, job)
        except Exception as error:
            if not getattr(error, "uncertain", False):  # otherwise a recovery could bring the row back
                await self._aside(self._db.bodies.drop, body)
            raise

    async def _commit(self, body: Body, job: WithBody[T], small: bool = False) -> T:
        return await self._db.committer.run(job(body), body.pending, small=small)

    async def _row(self, queue_id: str) -> Body | None:
        try:
            return await self._db.readers.run(reading.body(queue_id))
        except StoreDamaged as error:
            await self._past_damage.put_aside(queue_id, str(error), self._clock())
            raise BodyUnreadable(f"the body of {queue_id} lies on a damaged page: {error}") from error

    async def _opened(self, body: Body) -> bytes:
        """Open a body; one that was moved to another segment since its row was read is looked for there."""
        try:
            return await self._open(body)
        except BodyDamaged:
            now = await self._row(body.queue_id)
            if body.spot is None or now is None or now.spot in (None, body.spot):
                raise
            return await self._open(now)

    async def _open(self, body: Body) -> bytes:
        if body.data is not None:
            return self._db.bodies.open(body)
        return await self._aside(self._db.bodies.open, body)

    async def _set_aside(self, body: Body, what: str) -> None:
        """Keep a damaged body where people can look at it, and say so once."""
        if body.data is None:
            await self._aside(self._db.bodies.set_aside, body)
        await self._db.committer.run(mark_corrupt(body.queue_id, what, to_us(self._clock())))

    async def _aside(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            working = self._threads.submit(work, *arguments)
        except RuntimeError as error:  # the threads were shut down
            raise StoreUnavailable("the store is closed") from error
        return await asyncio.wrap_future(working)
