"""`spool.notices` on SQL, and the jobs of the outbox.

The mail that tells of notices enters the spool and their rows go, in one transaction, so that each is told of exactly once.
Where several processes share a store, each takes notices to compose before it reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.clock import Clock
from gateway.spool.accepting import Acceptance, acceptance
from gateway.spool.bodies import BodiesOfMail
from gateway.spool.contract import StoreDamaged
from gateway.spool.glance import glances
from gateway.spool.incident_marks import incident_of
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.notice import Glance, Notice
from gateway.spool.past_damage import PastDamage
from gateway.spool.queue_ids import QueueIds
from gateway.spool.ranges import to_ranges
from gateway.spool.records import notice
from gateway.spool.statements import (
    ANY_NOTICE,
    AT_ONCE,
    DELETE_NOTICES,
    FREE_NOTICES,
    NOTICE,
    NOTICE_NAMES,
    NOTICES,
    TAKE_NOTICES,
    TAKEN_NOTICES,
)
from gateway.spool.times import to_us
from gateway.spool.values import NewMessage
from gateway.store.bodies import Body
from gateway.store.database import Database
from gateway.store.events import Event
from gateway.store.living import living
from gateway.store.tx import Queries, Tx

LOOKED_PAST = 1_000  # notices of other nodes among which free ones are looked for


class AlreadyFinished(Exception):
    """One of the notices is in the outbox no more; its transaction is rolled back."""


class SqlNotices:
    """Implements `gateway.spool.contract.Notices`."""

    def __init__(
        self, database: Database, bodies: BodiesOfMail, ids: QueueIds, past_damage: PastDamage, clock: Clock
    ) -> None:
        self._db = database
        self._bodies = bodies
        self._ids = ids
        self._past_damage = past_damage
        self._clock = clock

    async def pending(self, limit: int, after: int = 0) -> Sequence[Notice]:
        if self._db.pulse is not None:
            owner = self._db.instance.name
            if not await self._db.readers.run(may_take(owner, after)):
                return []
            return await self._db.committer.run(take(owner, limit, after))
        wanted = {"b_limit": limit, "b_after": after}
        try:
            return await self._db.readers.run(lambda q: [notice(row) for row in q.rows(NOTICES, wanted)])
        except StoreDamaged:
            return await self._past_damage.notices(limit, after)

    async def finish(self, notices: Sequence[Notice], mail: NewMessage | None) -> str | None:
        try:
            if mail is None:
                return await self._db.committer.run(finish(notices, None, None, to_us(self._clock())))
            queue_id = self._ids.new(mail.received_at)
            rows = acceptance(queue_id, mail)
            at = to_us(mail.received_at)
            return await self._bodies.store(mail.raw, queue_id, lambda body: finish(notices, rows, body, at))
        except AlreadyFinished:
            return None

    async def glances(self, queue_ids: Sequence[str]) -> list[Glance | None]:
        return await self._db.readers.run(glances(queue_ids))

    async def incident_of(self, queue_id: str) -> datetime | None:
        """Return when an incident was opened about a mail; None where none was."""
        return await self._db.readers.run(incident_of(queue_id))


def finish(
    notices: Sequence[Notice], mail: Acceptance | None, body: Body | None, now: int
) -> Callable[[Tx], str | None]:
    """Return the job; it gives the queue id of the mail, None without one, and raises AlreadyFinished."""

    def job(tx: Tx) -> str | None:
        for start in range(0, len(notices), AT_ONCE):
            _delete(tx, notices[start : start + AT_ONCE])
        queue_id = mail.write(tx, body) if mail is not None and body is not None else None
        for each in notices:
            tx.event(_event(each, queue_id, now))
        return queue_id

    return job


def take(owner: str, limit: int, after: int) -> Callable[[Tx], list[Notice]]:
    """Take notices that nobody alive composes; return those and what else is ours above `after`, `limit` of each at most."""

    def job(tx: Tx) -> list[Notice]:
        alive = living(tx)
        found = tx.rows(FREE_NOTICES, {"b_owner": owner, "b_limit": limit + LOOKED_PAST})
        free = [notice_id for notice_id, holder in found if holder is None or holder not in alive][:limit]
        for start in range(0, len(free), AT_ONCE):
            tx.run(TAKE_NOTICES, _places(free[start : start + AT_ONCE]) | {"b_owner": owner})
        late = [tx.row(NOTICE, {"b_notice_id": number}) for number in free if number <= after]
        ours = tx.rows(TAKEN_NOTICES, {"b_owner": owner, "b_after": after, "b_limit": limit})
        return [notice(row) for row in (*late, *ours)]

    return job


def may_take(owner: str, after: int) -> Callable[[Queries], bool]:
    """Tell whether `take` may find any: most looks find none, and need no turn of the committer."""
    wanted = {"b_owner": owner, "b_after": after}
    return lambda queries: queries.row(ANY_NOTICE, wanted) is not None


def _delete(tx: Tx, told: Sequence[Notice]) -> None:
    """Delete rows, known by more than their number, which may come again; raises AlreadyFinished where one is gone."""
    some = _places([each.notice_id for each in told])
    there = {tuple(row) for row in tx.rows(NOTICE_NAMES, some)}
    if there != {(each.notice_id, each.queue_id, each.kind.value) for each in told}:
        raise AlreadyFinished
    if tx.run(DELETE_NOTICES, some) != len(told):  # another gateway was quicker
        raise AlreadyFinished


def _places(numbers: Sequence[int]) -> dict[str, object]:
    """Name as many rows as a statement has places: one more than once changes nothing."""
    padded = *numbers, *[numbers[0]] * (AT_ONCE - len(numbers))
    return {f"b_{place}": number for place, number in enumerate(padded)}


def _event(told: Notice, mail: str | None, now: int) -> Event:
    detail = {"notice": told.kind, "to": told.to, "mail": mail}
    return Event(
        now,
        told.queue_id,
        Kind.NOTICE,
        Reason.SYSTEM,
        recipients=to_ranges(told.recipients),
        detail=detail,
    )
