"""`spool.ageing` on SQL, and its jobs: what time asks for.

The delivery period of a recipient begins when it is queued, not when its mail was received: a hold of a week does not eat it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from gateway.spool.bodies import BodiesOfMail
from gateway.spool.destroying import Destroyed, destroy_body, shredded
from gateway.spool.first_notices import notice_row
from gateway.spool.holds import by_message, tell_sender
from gateway.spool.key_ending import told_deleted
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.mail_keys import SqlMailKeys
from gateway.spool.moves import Arrival, move
from gateway.spool.notice import NoticeKind
from gateway.spool.ranges import to_ranges
from gateway.spool.records import RecipientRow
from gateway.spool.shares_rows import STILL_SHARED
from gateway.spool.statements import DEFERRED_SINCE, DELAYED, MARK_DELAYED, NEW_NOTICES
from gateway.spool.times import span_us, to_us
from gateway.spool.values import SYSTEM, Actor
from gateway.store.bodies import PURGED
from gateway.store.database import Database
from gateway.store.events import Event
from gateway.store.incident_tables import incidents
from gateway.store.schema import bodies, messages, outbox, recipients
from gateway.store.tx import Tx


class SqlAgeing:
    """Implements `gateway.spool.contract.Ageing`. `purge` deletes keys whose time is over, too."""

    def __init__(self, database: Database, bodies: BodiesOfMail, keys: SqlMailKeys) -> None:
        self._db = database
        self._bodies = bodies
        self._keys = keys

    async def expire(self, now: datetime, older_than: timedelta, limit: int) -> int:
        at = to_us(now)
        return await self._db.committer.run(expire(at, at - span_us(older_than), limit))

    async def delay_notices(self, now: datetime, older_than: timedelta, limit: int) -> int:
        at = to_us(now)
        return await self._db.committer.run(delay_notices(at, at - span_us(older_than), limit))

    async def purge(
        self, now: datetime, bodies_after: timedelta, records_after: timedelta, limit: int
    ) -> int:
        at = to_us(now)
        emptied = await self._db.committer.run(purge_bodies(at, at - span_us(bodies_after), limit))
        await self._bodies.discard(emptied)
        gone = await self._db.committer.run(purge_records(at, at - span_us(records_after), limit))
        await self._bodies.reclaim()
        keys = await self._keys.delete_over(now, limit)
        return max(len({*emptied, *gone}), keys)

    async def destroy_body(self, queue_id: str, because: str, actor: Actor, now: datetime) -> Destroyed:
        done = await self._db.committer.run(destroy_body(queue_id, because, actor, to_us(now)))
        if done is Destroyed.DONE:
            await self._bodies.discard([queue_id])
            await self._bodies.reclaim()
        return done


def expire(now: int, before: int, limit: int) -> Callable[[Tx], int]:
    """Bounce what is deferred since before `before`; its DSN is queued with it."""

    def job(tx: Tx) -> int:
        found = tx.rows(DEFERRED_SINCE, {"b_before": before, "b_limit": limit})
        rows = [RecipientRow.of(row) for row in found]
        move(tx, rows, State.BOUNCED, Arrival(now))
        for queue_id, group in by_message(rows):
            indexes = sorted(row.idx for row in group)
            tx.event(Event(now, queue_id, Kind.BOUNCED, Reason.EXPIRED, recipients=to_ranges(indexes)))
            stop_keys(tx, queue_id, indexes, Reason.EXPIRED, SYSTEM, now)
            tell_sender(tx, NoticeKind.FAILED, queue_id, indexes, now)
        return len(rows)

    return job


def delay_notices(now: int, before: int, limit: int) -> Callable[[Tx], int]:
    """Tell up to `limit` senders, once per message, what is still deferred."""

    def job(tx: Tx) -> int:
        waiting: dict[str, tuple[str, list[int]]] = {}
        for queue_id, index, sender in tx.rows(DELAYED, {"b_before": before}):
            waiting.setdefault(queue_id, (sender, []))[1].append(index)
        chosen = list(waiting.items())[:limit]
        for queue_id, (sender, indexes) in chosen:
            tx.insert(NEW_NOTICES, [notice_row(NoticeKind.DELAYED, queue_id, sender, sorted(indexes), now)])
            tx.run(MARK_DELAYED, {"b_queue_id": queue_id, "b_at": now})
        return len(chosen)

    return job


def purge_bodies(now: int, before: int, limit: int) -> Callable[[Tx], list[str]]:
    """Destroy keys and inline bodies of messages finished before `before`; return whose files may go after COMMIT."""

    def job(tx: Tx) -> list[str]:
        rows = tx.connection.execute(
            _finished(before, limit)
            .join(bodies, bodies.c.queue_id == messages.c.queue_id)
            .where(bodies.c.place != PURGED, ~_incident(incidents.c.closed_at.is_(None)))
            .add_columns(bodies.c.key_id)
        )
        keys = {row.queue_id: row.key_id for row in rows}
        if keys:
            tx.connection.execute(shredded().where(bodies.c.queue_id.in_(list(keys))))
        for queue_id, key_id in keys.items():
            detail = {"what": "body", "master_key": key_id}
            tx.event(Event(now, queue_id, Kind.PURGED, Reason.RETENTION, detail=detail))
        return list(keys)

    return job


def purge_records(now: int, before: int, limit: int) -> Callable[[Tx], list[str]]:
    """Delete the rows of messages finished before `before`; their events stay."""

    def job(tx: Tx) -> list[str]:
        queue_ids = list(tx.connection.execute(_finished(before, limit).where(~_incident())).scalars())
        if queue_ids:
            _untally(tx, queue_ids)
            told_deleted(tx, queue_ids, now)
            tx.connection.execute(messages.delete().where(messages.c.queue_id.in_(queue_ids)))
        for queue_id in queue_ids:
            tx.event(Event(now, queue_id, Kind.PURGED, Reason.RETENTION, detail={"what": "record"}))
        return queue_ids

    return job


def _finished(before: int, limit: int) -> sa.Select[Any]:
    """Select finished messages out of which nothing can be fetched, and about which no notice waits: it may need them."""
    waiting = select(outbox.c.notice_id).where(outbox.c.queue_id == messages.c.queue_id).exists()
    return (
        select(messages.c.queue_id)
        .where(messages.c.finished_at.is_not(None), messages.c.finished_at <= before, ~waiting, ~STILL_SHARED)
        .order_by(messages.c.finished_at)
        .limit(limit)
    )


def _incident(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Tell whether a message has an incident: while there is one its records stay, while it is open its body does, too."""
    return (
        select(incidents.c.queue_id).where(incidents.c.queue_id == messages.c.queue_id, *conditions).exists()
    )


def _untally(tx: Tx, queue_ids: list[str]) -> None:
    counts = select(recipients.c.state, sa.func.count()).where(recipients.c.queue_id.in_(queue_ids))
    for state, count in tx.connection.execute(counts.group_by(recipients.c.state)):
        tx.tally(state, -count)
