"""Files behind links, on SQL: implements gateway/spool/share_contract.py. Every verb is one job of the committer.

Why a share does not open goes to the log of the service and to the sender; whoever shows it to a stranger must not say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from gateway.spool import shares_codes, shares_fetching, shares_life
from gateway.spool.contract import known
from gateway.spool.key_contract import MailKeys, NoKey
from gateway.spool.mail_json import parsed
from gateway.spool.notice import Notice
from gateway.spool.share_contract import Happened, NoShare, Share, TakenBack, Visitor
from gateway.spool.shares_codes import Entry
from gateway.spool.shares_history import history
from gateway.spool.shares_life import Asked
from gateway.spool.shares_rows import Facts, ShareRow, read, rows_of
from gateway.spool.shares_standing import of_decision, share_of, why_closed
from gateway.spool.statements import RELEASE_FACTS
from gateway.spool.taking_back import take_back
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor, Change
from gateway.store.database import Database
from gateway.store.tx import Queries, Tx

T = TypeVar("T")


class SqlShares:
    """Implements `gateway.spool.share_contract.Shares` on a database; `keys` are those of the same spool."""

    def __init__(self, database: Database, keys: MailKeys) -> None:
        self._db = database
        self._keys = keys

    async def get(self, queue_id: str, recipient: int, now: datetime) -> Share:
        found = await self._read(queue_id, recipient)
        if found is None:
            raise NoShare("unknown")
        why = why_closed(*found, to_us(now))
        if why:
            raise NoShare(why)
        return share_of(*found)

    async def of(self, queue_id: str) -> Sequence[Share]:
        return await self._db.readers.run(lambda queries: _all(queries, queue_id))

    async def history(self, queue_id: str) -> Sequence[Happened]:
        return await self._db.readers.run(history(queue_id))

    async def ask_code(self, queue_id: str, recipient: int, visitor: Visitor, now: datetime) -> None:
        code, master = shares_codes.new_code(), self._db.master
        job = shares_codes.ask(queue_id, recipient, code, visitor, to_us(now), master)
        why = await self._db.committer.run(job)
        if why:
            raise NoShare(why)

    async def enter(
        self, queue_id: str, recipient: int, code: str, key: str, visitor: Visitor, now: datetime
    ) -> bool:
        share = await self.get(queue_id, recipient, now)
        right_key = await self._key(share) if share.needs_key else None
        entry = Entry(code, key, right_key, visitor)
        job = shares_codes.enter(queue_id, recipient, entry, to_us(now), self._db.master)
        right, why = await self._db.committer.run(job)
        if why:
            raise NoShare(why)
        return right

    async def visits(self, queue_id: str, recipient: int, visitor: Visitor) -> bool:
        found = await self._read(queue_id, recipient)
        return found is not None and visitor.visit in found[0].begun

    async def fetch(
        self,
        queue_id: str,
        recipient: int,
        place: int,
        visitor: Visitor,
        now: datetime,
        *,
        onward: bool = False,
    ) -> Share:
        wanted = (queue_id, recipient, place, visitor, to_us(now))
        fetched: shares_fetching.Fetched = "not-begun"
        if onward:
            fetched = await self._db.readers.run(shares_fetching.onward(*wanted))
        if fetched == "not-begun":
            fetched = await self._db.committer.run(shares_fetching.fetch(*wanted, onward))
        if isinstance(fetched, str):
            raise NoShare(fetched)
        return fetched

    async def lock(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, now: datetime
    ) -> Change:
        asked = Asked(queue_id, recipients, actor, to_us(now))
        return await self._known(shares_life.lock(asked), queue_id)

    async def unlock(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, now: datetime
    ) -> Change:
        asked = Asked(queue_id, recipients, actor, to_us(now))
        return await self._known(shares_life.unlock(asked), queue_id)

    async def extend(
        self, queue_id: str, recipients: Collection[int] | None, until: datetime, actor: Actor, now: datetime
    ) -> Change:
        asked = Asked(queue_id, recipients, actor, to_us(now))
        return await self._known(shares_life.extend(asked, to_us(until)), queue_id)

    async def take_back(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, now: datetime
    ) -> TakenBack:
        asked = Asked(queue_id, recipients, actor, to_us(now))
        return await self._known(take_back(asked), queue_id)

    async def end_expired(self, now: datetime, limit: int) -> int:
        if not await self._db.readers.run(shares_life.any_expired(to_us(now))):
            return 0
        return await self._db.committer.run(shares_life.end_expired(to_us(now), limit))

    def code_of(self, notice: Notice) -> str | None:
        return shares_codes.code_in(notice.actor, notice.queue_id, notice.recipients[0], self._db.master)

    async def _read(self, queue_id: str, recipient: int) -> tuple[ShareRow, Facts] | None:
        return await self._db.readers.run(lambda queries: read(queries, queue_id, recipient))

    async def _key(self, share: Share) -> str:
        """Return the key that the recipient has to enter; empty where there is none (any more), which nothing equals."""
        try:
            keys = await self._keys.to_seal(share.queue_id, [share.recipient])
        except NoKey:
            return ""
        return keys[share.recipient].text

    async def _known(self, job: Callable[[Tx], T | None], queue_id: str) -> T:
        return known(await self._db.committer.run(job), queue_id)


def _all(queries: Queries, queue_id: str) -> list[Share]:
    rows = rows_of(queries, queue_id)
    facts = queries.row(RELEASE_FACTS, {"b_queue_id": queue_id}) if rows else None
    if facts is None:
        return []
    envelope, decision = parsed(facts[1], facts[2])
    return [of_decision(row, envelope, decision, from_us(facts[0]), None) for row in rows]
