"""Destroy the body of one finished mail before its time, because somebody asked for it. Its record and its events stay."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import sqlalchemy as sa
from sqlalchemy import select

from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.shares_rows import STILL_SHARED
from gateway.spool.values import Actor
from gateway.store.bodies import PURGED
from gateway.store.events import Event
from gateway.store.incident_tables import incidents
from gateway.store.schema import bodies, messages, outbox
from gateway.store.tx import Tx

MAX_REASON = 500  # characters of why


class Destroyed(Enum):
    """What became of the wish; everything but DONE changed nothing."""

    DONE = auto()
    ALREADY = auto()  # there is no body any more
    NOT_FINISHED = auto()  # somebody is still to get it, or to be told of it: cancel first, or wait
    SHARED = auto()  # somebody can still fetch a file out of it: take it back first
    INCIDENT = auto()  # an incident about it is open: it is evidence
    UNKNOWN = auto()


def destroy_body(queue_id: str, because: str, actor: Actor, now: int) -> Callable[[Tx], Destroyed]:
    """Destroy a message's key, and its octets where they lie in the database; its file may go after COMMIT."""

    def job(tx: Tx) -> Destroyed:
        row = tx.connection.execute(_STANDS, {"b_queue_id": queue_id}).first()
        if row is None:
            return Destroyed.UNKNOWN
        if (obstacle := _obstacle(row)) is not None:
            return obstacle
        tx.connection.execute(shredded().where(bodies.c.queue_id == queue_id))
        detail = {"what": "body", "because": because[:MAX_REASON], "master_key": row.key_id}
        tx.event(Event(now, queue_id, Kind.PURGED, Reason.ON_REQUEST, actor.kind, actor.name, detail=detail))
        return Destroyed.DONE

    return job


def shredded() -> sa.Update:
    """Return the statement that takes a body's key away, and with it all that could open what is left of it."""
    return bodies.update().values(
        place=PURGED, wrapped_key=None, data=None, segment=None, start=None, length=None
    )


def _obstacle(row: sa.Row[tuple[object, ...]]) -> Destroyed | None:
    if row.place == PURGED:
        return Destroyed.ALREADY
    if row.finished_at is None or row.waiting:
        return Destroyed.NOT_FINISHED
    if row.shared:
        return Destroyed.SHARED
    return Destroyed.INCIDENT if row.incident else None


_OPEN_INCIDENT = (
    select(incidents.c.queue_id)
    .where(incidents.c.queue_id == messages.c.queue_id, incidents.c.closed_at.is_(None))
    .exists()
)
_STANDS: sa.Select[tuple[object, ...]] = (
    select(
        messages.c.finished_at,
        bodies.c.place,
        bodies.c.key_id,
        STILL_SHARED.label("shared"),
        _OPEN_INCIDENT.label("incident"),
        select(outbox.c.notice_id).where(outbox.c.queue_id == messages.c.queue_id).exists().label("waiting"),
    )
    .join(bodies, bodies.c.queue_id == messages.c.queue_id)
    .where(messages.c.queue_id == sa.bindparam("b_queue_id"))
)
