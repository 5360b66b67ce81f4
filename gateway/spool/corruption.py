"""A body that does not open: told once, kept aside, and nobody is bounced for it.

Who reads it gets BodyUnreadable; release defers the recipients with reason UNREADABLE, so the mail stays visible in the
queue, an operator can put the file back from a backup, and expiry tells the sender if nobody does
(docs/decisions/0011-bodies-at-rest.md).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam

from gateway.spool.lifecycle import Kind, Reason
from gateway.store.bodies import CORRUPT, PURGED
from gateway.store.events import Event
from gateway.store.schema import bodies
from gateway.store.tx import Prepared, Tx

_MARK = Prepared(
    bodies.update()
    .where(bodies.c.queue_id == bindparam("b_queue_id"), bodies.c.place != CORRUPT, bodies.c.place != PURGED)
    .values(place=CORRUPT)
)


def mark_corrupt(queue_id: str, what: str, now: int) -> Callable[[Tx], None]:
    """Mark the body and write the event, unless both were done before."""

    def job(tx: Tx) -> None:
        if tx.run(_MARK, {"b_queue_id": queue_id}):
            tx.event(Event(now, queue_id, Kind.CORRUPT, Reason.UNREADABLE, detail={"what": what}))

    return job
