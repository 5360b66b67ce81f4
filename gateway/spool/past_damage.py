"""The queue's verbs on a database with a damaged page: what can still be read and moved goes on, mail by mail.

An index that leads to a damaged page stops every query that meets it there. So the rows are looked for in the table itself,
from both ends, and each mail is moved in a transaction of its own. A mail that cannot be moved although the store can write
is put aside: told once, in the event log and by a metric, and left alone until this process ends. Nothing here changes or
deletes what is damaged; `sekisho doctor --repair` does what can be done. SQLite only: no other store raises StoreDamaged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy import bindparam, select

from gateway import metrics
from gateway.spool.claiming import Wanted, claim_rows
from gateway.spool.contract import StoreDamaged
from gateway.spool.holds import by_message, release_rows
from gateway.spool.leases import Leases
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.records import RecipientRow, notice
from gateway.spool.statements import LIMIT, NOTICE
from gateway.spool.times import to_us
from gateway.spool.values import Claim
from gateway.store.database import Database
from gateway.store.errors import StoreConflict
from gateway.store.events import Event
from gateway.store.schema import HELD, MOVING, outbox, recipients
from gateway.store.tx import Prepared, Queries, Tx

T = TypeVar("T")

# Mails put aside; with more, the damage is not one of single mails and nothing is tried any more.
ASIDE_LIMIT = 10_000
IDLE_S = 5.0  # between two looks at the whole table while they find nothing

log = structlog.get_logger()


class PastDamage:
    """Stands in for a verb that met damage. `aside` are the mails that are left alone, and why."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._db = database
        self._leases = leases
        self._look_at: dict[str, float] = {}
        self.aside: dict[str, str] = {}

    async def release_due(self, now: datetime, limit: int) -> int:
        """Queue what is held and due, as `Spool.release_due`; raises StoreDamaged where nothing can be written."""
        rows = await self._due(HELD, now, limit)
        return sum(await self._each(rows, lambda group: release_rows(group, to_us(now)), now))

    async def claim(self, wanted: Wanted) -> list[Claim]:
        """Lease what is due, as `Spool.claim`; raises StoreDamaged where nothing can be written."""
        rows = [
            r for r in await self._due(MOVING, wanted.now, wanted.limit) if r.queue_id not in wanted.crowded
        ]
        begun: list[str] = []
        claims = await self._each(
            rows, lambda group: claim_rows(group, wanted, self._leases, begun), wanted.now
        )
        claimed = {claim.lease for claim in claims if claim is not None}
        for token in begun:
            if token not in claimed:
                self._leases.end(token)
        return [claim for claim in claims if claim is not None]

    async def notices(self, limit: int, after: int) -> list[Notice]:
        """Return those of the next waiting notices that can be read, as `Notices.pending`."""

        def read(queries: Queries) -> list[Notice]:
            ids = queries.until_damage(_NOTICE_IDS, {"b_after": after, "b_limit": limit})
            found = [row for (i,) in list(ids) for row in queries.until_damage(NOTICE, {"b_notice_id": i})]
            return [notice(row) for row in found]

        return await self._db.readers.run(read)

    async def put_aside(self, queue_id: str, why: str, now: datetime) -> None:
        """Leave a mail alone from now on; raises StoreDamaged where not even that can be written: it is not this mail then."""
        if queue_id in self.aside:
            return
        if len(self.aside) >= ASIDE_LIMIT:
            raise StoreDamaged(
                f"{ASIDE_LIMIT} mails were put aside: the database is damaged beyond single mails"
            )
        event = Event(to_us(now), queue_id, Kind.CORRUPT, Reason.UNREADABLE, detail={"what": why})
        await self._db.committer.run(lambda tx: tx.event(event))
        self.aside[queue_id] = why
        metrics.PUT_ASIDE.set(len(self.aside))
        log.error("message-put-aside", queue_id=queue_id, cause=why)

    async def _due(self, states: str, now: datetime, limit: int) -> list[RecipientRow]:
        """Return due rows that can be read, of mails not put aside; the whole table is looked at only now and then."""
        if time.monotonic() < self._look_at.get(states, 0.0):
            return []
        rows = await self._db.readers.run(_readable(states, to_us(now), limit, frozenset(self.aside)))
        self._look_at[states] = 0.0 if rows else time.monotonic() + IDLE_S
        return rows

    async def _each(
        self,
        rows: Sequence[RecipientRow],
        job: Callable[[Sequence[RecipientRow]], Callable[[Tx], T]],
        now: datetime,
    ) -> list[T]:
        done = []
        for queue_id, group in by_message(rows):
            try:
                done.append(await self._db.committer.run(job(group)))
            except StoreConflict:  # moved by a command meanwhile
                continue
            except StoreDamaged as error:
                await self.put_aside(queue_id, str(error), now)
        return done


def _readable(
    states: str, at: int, limit: int, aside: frozenset[str]
) -> Callable[[Queries], list[RecipientRow]]:
    """Read the table from its beginning up to damage, then from its end."""

    def read(queries: Queries) -> list[RecipientRow]:
        found: dict[tuple[str, int], RecipientRow] = {}
        for statement in _TABLE[states]:
            rows = map(RecipientRow.of, queries.until_damage(statement, {"b_now": at}))
            new = (r for r in rows if r.queue_id not in aside and (r.queue_id, r.idx) not in found)
            for row in islice(new, limit - len(found)):
                found[row.queue_id, row.idx] = row
        return list(found.values())

    return read


def _from(states: str, *order: sa.ColumnElement[str] | sa.ColumnElement[int]) -> Prepared:
    """Select due rows in the table's own order: the plus keeps SQLite from the partial indexes."""
    columns = [recipients.c[name] for name in RecipientRow._fields]
    due = sa.text(f"+{states}"), recipients.c.due_at <= bindparam("b_now")
    return Prepared(select(*columns).where(*due).order_by(*order))


_KEY = (recipients.c.queue_id, recipients.c.idx)
_TABLE = {
    states: (_from(states, *_KEY), _from(states, *(column.desc() for column in _KEY)))
    for states in (HELD, MOVING)
}
_NOTICE_IDS = Prepared(
    select(outbox.c.notice_id)
    .where(
        outbox.c.notice_id > bindparam("b_after"),
        # What tells of the end waits until the damage is mended.
        outbox.c.kind.not_in(
            [sa.literal_column(f"'{kind}'") for kind in (NoticeKind.REPORT, NoticeKind.LEFT)]
        ),
    )
    .order_by(outbox.c.notice_id)
    .limit(LIMIT)
)
