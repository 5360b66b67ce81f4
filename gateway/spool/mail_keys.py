"""The keys of mails on SQL: implements gateway/spool/key_contract.py; and those that were agreed on, for the administrator."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from gateway.policy.protection import Way
from gateway.spool import agreed_keys, key_carrying, key_ending, key_reading, key_results, key_supply
from gateway.spool.contract import known
from gateway.spool.holds import recipients_of
from gateway.spool.key_contract import KeySending, KeyStatus, NoKey, SealKey, ShownKey, Stage
from gateway.spool.key_rows import sendings
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import Reason
from gateway.spool.statements import NOTICE_FACTS
from gateway.spool.times import from_us, span_us, to_us
from gateway.spool.values import Actor, Change
from gateway.store.database import Database
from gateway.store.errors import StoreUnavailable
from gateway.store.keys import MasterKeyError
from gateway.store.tx import Queries, Tx

T = TypeVar("T")


class SqlMailKeys:
    """Implements `MailKeys` on a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def to_seal(self, queue_id: str, recipients: Collection[int]) -> Mapping[int, SealKey]:
        job = key_reading.seal_keys(queue_id, recipients, self._db.master)
        return _there(await _opened(self._db.readers.run(job)), queue_id)

    async def show(self, queue_id: str, actor: Actor, now: datetime) -> Sequence[ShownKey]:
        job = key_reading.show(queue_id, actor, to_us(now), self._db.master)
        return _there(await _opened(self._db.committer.run(job)), queue_id)

    async def supply(
        self, queue_id: str, recipients: Collection[int], way: Way, to: str, actor: Actor, now: datetime
    ) -> Change:
        to = key_supply.checked_number(way, to)
        said = key_supply.Said(queue_id, frozenset(recipients), way, to, actor, to_us(now), self._db.master)
        return _there(await self._db.committer.run(key_supply.supply(said)), queue_id)

    async def stop(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        at = to_us(now)

        def job(tx: Tx) -> Change | None:
            rows = {row.idx: row.state for row in recipients_of(tx, queue_id)}
            if not rows:
                return None
            before = sendings(tx, queue_id, recipients)
            stop_keys(tx, queue_id, recipients, reason, actor, at)
            stopped = {
                index
                for index, row in sendings(tx, queue_id, recipients).items()
                if row.stage is Stage.STOPPED and before[index].stage is not Stage.STOPPED
            }
            missed = tuple([(index, rows[index]) for index in sorted(before.keys() - stopped)])
            return Change(tuple(sorted(stopped)), missed)

        return _there(await self._db.committer.run(job), queue_id)

    async def due_sendings(
        self, now: datetime, limit: int, lease: timedelta, way: Way | None = None
    ) -> Sequence[KeySending]:
        at = to_us(now)
        if not await self._db.readers.run(key_carrying.any_due(at, way)):
            return []
        carrier = key_carrying.Carrier(secrets.token_hex(8), at + span_us(lease), at, self._db.master)
        return await self._db.committer.run(key_carrying.lease_due(carrier, limit, way))

    async def mailed(self, limit: int) -> Sequence[str]:
        return await self._db.readers.run(key_results.mailed(limit))

    async def sent(self, sending: KeySending, receipt: str, now: datetime) -> None:
        await self._db.committer.run(key_results.sent(sending, receipt, to_us(now)))

    async def not_sent(
        self, sending: KeySending, detail: str, retry_at: datetime | None, now: datetime
    ) -> None:
        again = None if retry_at is None else to_us(retry_at)
        await self._db.committer.run(key_results.not_sent(sending, detail, again, to_us(now)))

    async def receipted(self, receipt: str, arrived: bool, detail: str, now: datetime) -> bool:
        return await self._db.committer.run(key_results.receipted(receipt, arrived, detail, to_us(now)))

    async def statuses(self, queue_id: str, recipients: Collection[int] | None = None) -> Sequence[KeyStatus]:
        master = self._db.master

        def read(queries: Queries) -> list[KeyStatus] | None:
            if queries.row(NOTICE_FACTS, {"b_queue_id": queue_id}) is None:
                return None
            return [
                KeyStatus(
                    recipient=row.recipient,
                    way=row.way,
                    stage=row.stage,
                    changed_at=from_us(row.changed_at),
                    attempts=row.attempts,
                    to=key_reading.last_digits(row, master),
                    detail=row.detail,
                )
                for row in sendings(queries, queue_id, recipients).values()
            ]

        return _there(await self._db.readers.run(read), queue_id)

    async def agreed(self, addresses: Collection[str]) -> frozenset[str]:
        return await self._db.readers.run(agreed_keys.among(addresses)) if addresses else frozenset()

    async def agree(self, who: str, text: str, actor: Actor, now: datetime) -> None:
        """Keep a key agreed on with an address, or `@domain`; raises ValueError on what is none, quoting nothing."""
        job = agreed_keys.put(
            agreed_keys.who_of(who), agreed_keys.checked(text), self._db.master, actor, to_us(now)
        )
        await self._db.committer.run(job)

    async def disagree(self, who: str, actor: Actor, now: datetime) -> bool:
        """Remove such a key; tell whether there was one. Mail that waits to be sealed with it waits on, or bounces."""
        return await self._db.committer.run(agreed_keys.remove(agreed_keys.who_of(who), actor, to_us(now)))

    async def agreements(self) -> Sequence[agreed_keys.Agreed]:
        """Return with whom a key is agreed on, and since when; never a key."""
        return await self._db.readers.run(agreed_keys.listed)

    async def delete_over(self, now: datetime, limit: int) -> int:
        """Delete up to `limit` keys whose time is over, or whose mail will not come; return how many."""
        left = await self._db.readers.run(key_ending.left_behind(limit))
        if left:
            await self._db.committer.run(key_ending.stop_left(left, to_us(now)))
        if not await self._db.readers.run(key_ending.any_over(to_us(now))):
            return 0
        return await self._db.committer.run(key_ending.delete_over(to_us(now), limit))


async def _opened(verb: Awaitable[T]) -> T:
    """Await a verb that unwraps; a key whose master key is not held here is as a store that does not answer."""
    try:
        return await verb
    except MasterKeyError as error:
        raise StoreUnavailable(f"a key cannot be opened: {error}") from error


def _there(found: T | NoKey | None, queue_id: str) -> T:
    if isinstance(found, NoKey):
        raise found
    return known(found, queue_id)
