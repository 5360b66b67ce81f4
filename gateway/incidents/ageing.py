"""What time does to incidents: letters about clocks before they run out, deletion of what is closed long enough. Jobs."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.incidents.contract import Account, Organisation, Report
from gateway.incidents.rows import account_of, named, reported_of
from gateway.spool.first_notices import notice_row
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.notice import NoticeKind
from gateway.spool.statements import NEW_NOTICES, NOTICE_FACTS
from gateway.spool.values import SYSTEM
from gateway.store.events import Event
from gateway.store.incident_tables import deletion_requests, incident_notes, incidents
from gateway.store.tx import Prepared, Queries, Tx

NextReminder = Callable[[Account, tuple[Report, ...], Organisation], int | None]
"""Gives when to remind next of an incident's clocks, counted from now."""

_I = incidents.c
_LIMIT = bindparam("b_limit", type_=sa.Integer)
_DUE = Prepared(
    select(incidents)
    .where(sa.text("remind_at IS NOT NULL"), _I.remind_at <= bindparam("b_now"))
    .order_by(_I.remind_at)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)
_NEXT = Prepared(
    incidents.update()
    .where(_I.queue_id == bindparam("b_queue_id"))
    .values(remind_at=bindparam("b_remind_at"))
)
_ANY = Prepared(
    select(_I.queue_id)
    .where(sa.text("remind_at IS NOT NULL"), _I.remind_at <= bindparam("b_now"))
    .limit(sa.literal_column("1"))
)
_ANY_REQUEST = Prepared(
    select(deletion_requests.c.queue_id)
    .where(sa.text("remind_at IS NOT NULL"), deletion_requests.c.remind_at <= bindparam("b_now"))
    .limit(sa.literal_column("1"))
)
_OVER = Prepared(
    select(_I.queue_id)
    .where(sa.text("closed_at IS NOT NULL"), _I.closed_at <= bindparam("b_before"))
    .order_by(_I.closed_at)
    .limit(_LIMIT)
)
_DELETE = tuple(
    Prepared(table.delete().where(table.c.queue_id == bindparam("b_queue_id")))
    for table in (deletion_requests, incident_notes, incidents)
)


def any_due(now: int) -> Callable[[Queries], bool]:
    """Tell whether anybody is to be reminded: most looks find nobody, and need no turn of the committer."""
    at = {"b_now": now}
    return lambda q: q.row(_ANY, at) is not None or q.row(_ANY_REQUEST, at) is not None


def remind_of_clocks(
    now: int, limit: int, officers: Collection[str], following: NextReminder
) -> Callable[[Tx], int]:
    """Write to the privacy officers about each open incident that is due; the job gives how many letters wait."""

    def job(tx: Tx) -> int:
        written = 0
        for row in tx.rows(_DUE, {"b_now": now, "b_limit": limit}):
            found = named(incidents, row)
            queue_id, done = found["queue_id"], tuple(report for report, _ in reported_of(found))
            moment = following(account_of(found), done, Organisation(found["organisation"]))
            tx.run(_NEXT, {"b_queue_id": queue_id, "b_remind_at": moment})
            if not officers or tx.row(NOTICE_FACTS, {"b_queue_id": queue_id}) is None:
                continue
            rows = [
                notice_row(NoticeKind.INCIDENT_CLOCK, queue_id, to, [], now) for to in sorted({*officers})
            ]
            tx.insert(NEW_NOTICES, rows)
            tx.event(
                Event(
                    now,
                    queue_id,
                    Kind.INCIDENT_REMINDED,
                    Reason.SYSTEM,
                    SYSTEM.kind,
                    detail={"to": sorted({*officers})},
                )
            )
            written += len(rows)
        return written

    return job


def purge(now: int, before: int, limit: int) -> Callable[[Tx], int]:
    """Delete incidents that were closed before `before`, with everything that people wrote; the events stay."""

    def job(tx: Tx) -> int:
        gone = [queue_id for (queue_id,) in tx.rows(_OVER, {"b_before": before, "b_limit": limit})]
        for queue_id in gone:
            for statement in _DELETE:
                tx.run(statement, {"b_queue_id": queue_id})
            tx.event(Event(now, queue_id, Kind.PURGED, Reason.RETENTION, detail={"what": "incident"}))
        return len(gone)

    return job
