"""What is known of earlier mail, on SQL: implements gateway/spool/knowledge.py.

Hashes need the store's own key. It is read at the first question that needs it, and made if there is none; what was asked
before that finds nothing, as it should. A key that cannot be unwrapped (its master key is not held here) is as a store that
does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from gateway.message.evidence import Earlier, Halves, Volume
from gateway.spool import acquaintances, halves, learning, sendings, threads
from gateway.spool.knowledge import Noted, Writers
from gateway.spool.times import span_us, to_us
from gateway.store import pseudonyms
from gateway.store.database import Database
from gateway.store.errors import StoreUnavailable
from gateway.store.keys import MasterKeyError
from gateway.store.pseudonyms import Pseudonyms

QUICK_NAMES = 200  # hashed on the event loop, in less than a millisecond


class SqlKnowledge:
    """Implements `gateway.spool.knowledge.Knowledge` on a database."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._key: Pseudonyms | None = None

    async def note(self, counted_as: str, message_id: str, named: Collection[str]) -> Noted:
        if not message_id:
            return Noted(counted_as)
        key = await self._pseudonyms()
        if len(named) <= QUICK_NAMES:
            return threads.noted(counted_as, message_id, named, key)
        return await asyncio.to_thread(threads.noted, counted_as, message_id, named, key)

    async def pairs(self, sender: str, recipients: Collection[str]) -> tuple[bytes, ...]:
        key = await self._pseudonyms()
        if len(recipients) <= QUICK_NAMES:
            return halves.pairs(sender, recipients, key)
        return await asyncio.to_thread(halves.pairs, sender, recipients, key)

    async def halves(self, sender: str, recipients: Collection[str], now: datetime) -> Halves | None:
        key = await self._pseudonyms()
        return await self._db.readers.run(halves.earlier(sender, recipients, to_us(now), key))

    async def writers(self, sender: str, recipients: Collection[str]) -> Writers:
        key = await self._pseudonyms()
        return await self._db.readers.run(acquaintances.writers(sender, recipients, key))

    async def volume(self, counted_as: str, now: datetime) -> Volume:
        return await self._db.readers.run(sendings.volume(counted_as, to_us(now)))

    async def earlier(self, ids: Sequence[str], among: Collection[str]) -> Earlier | None:
        if not ids:
            return None
        key = await self._pseudonyms()
        return await self._db.readers.run(threads.earlier(ids, among, key))

    async def domains(self, limit: int, known_at: datetime) -> frozenset[str]:
        return await self._db.readers.run(acquaintances.domains(limit, to_us(known_at)))

    async def learn(self) -> int:
        key = await self._pseudonyms()
        batch = await self._db.readers.run(learning.next_batch(key))
        if batch is None:
            return 0
        await self._db.committer.run(learning.take_over(batch))
        return batch.events

    async def forget(self, now: datetime, unused_for: timedelta, limit: int) -> int:
        at = to_us(now)
        unused = acquaintances.forget(at - span_us(unused_for), limit)
        old, apart = sendings.forget(at, limit), halves.forget(at, limit)
        return await self._db.committer.run(lambda tx: unused(tx) + old(tx) + apart(tx))

    async def _pseudonyms(self) -> Pseudonyms:
        """Return the hashes of this store; raises StoreUnavailable."""
        if self._key is None:
            master = self._db.master
            try:
                found = await self._db.readers.run(pseudonyms.read(master))
                if found is None:
                    await self._db.committer.run(pseudonyms.create(master))
                    found = await self._db.readers.run(pseudonyms.read(master))
            except MasterKeyError as error:
                raise StoreUnavailable(f"what is known of earlier mail cannot be read: {error}") from error
            self._key = found
        if self._key is None:
            raise StoreUnavailable("the key of what is known of earlier mail is gone")
        return self._key
