"""What people do with an open incident: correct what was told, note, mark a report as handed in, close, reopen. Jobs.

Notes are only ever added. Each job locks the incident first, so that two people do not act on what the other just changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.incidents.contract import (
    NOTES,
    Account,
    IncidentRefused,
    NoteKind,
    Report,
    UnknownIncident,
)
from gateway.incidents.opening import account_said, event
from gateway.incidents.rows import LOCKED, account_columns, account_of, add_note, named, reported_of
from gateway.spool.lifecycle import Kind
from gateway.spool.ranges import to_ranges
from gateway.spool.values import Actor
from gateway.store.incident_tables import deletion_requests, incidents
from gateway.store.keys import MasterKey
from gateway.store.tx import Prepared, Tx
from gateway.values import dataclass

_HERE = incidents.c.queue_id == bindparam("b_queue_id")
_ACCOUNT = Prepared(
    incidents.update()
    .where(_HERE)
    .values({name: bindparam(f"b_{name}") for name in ("what", "wrong", "kinds", "persons", "known_at")})
)
_REMIND = Prepared(incidents.update().where(_HERE).values(remind_at=bindparam("b_remind_at")))
_REPORTED = {
    Report.PRELIMINARY: Prepared(incidents.update().where(_HERE).values(preliminary_at=bindparam("b_at"))),
    Report.FINAL: Prepared(incidents.update().where(_HERE).values(final_at=bindparam("b_at"))),
}
_CLOSE = Prepared(incidents.update().where(_HERE).values(closed_at=bindparam("b_at"), remind_at=sa.null()))
_NO_REMINDERS = Prepared(
    deletion_requests.update()
    .where(deletion_requests.c.queue_id == bindparam("b_queue_id"))
    .values(remind_at=sa.null())
)

Reminder = Callable[[Account, tuple[Report, ...]], int | None]
"""Gives when to remind next of an incident's clocks, from what is told and which reports were handed in."""


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something with which incident, and when."""

    queue_id: str
    actor: Actor
    now: int
    master: MasterKey


def lock(tx: Tx, queue_id: str, *, closed: bool = False) -> dict[str, Any]:
    """Return the row, locked; raises UnknownIncident, and IncidentRefused where it is closed (or not, with `closed`)."""
    row = tx.row(LOCKED, {"b_queue_id": queue_id})
    if row is None:
        raise UnknownIncident(queue_id)
    found = named(incidents, row)
    if (found["closed_at"] is not None) is not closed:
        raise IncidentRefused("open" if closed else "closed")
    return found


def write_note(tx: Tx, doing: Doing, kind: NoteKind, text: str) -> int:
    """Add a note; raises IncidentRefused where there are too many."""
    number = add_note(tx, doing.queue_id, kind, text, doing.actor.name, doing.now, doing.master)
    if number >= NOTES:
        raise IncidentRefused("too-many-notes")
    return number


def amend(doing: Doing, account: Account, remind: Reminder) -> Callable[[Tx], None]:
    """Correct what was told: whom it reached, whose and what data it is, since when it is known. The description stays."""

    def job(tx: Tx) -> None:
        row = lock(tx, doing.queue_id)
        before = account_said(account_of(row)) | {"wrong": row["wrong"]}
        after = account_said(account) | {"wrong": to_ranges(account.wrong)}
        if before == after:
            return
        tx.run(_ACCOUNT, account_columns(account) | {"b_queue_id": doing.queue_id})
        _remind(tx, doing, account, tuple(report for report, _ in reported_of(row)), remind)
        changed = {name: value for name, value in after.items() if before[name] != value}
        tx.event(event(doing.queue_id, Kind.INCIDENT_CHANGED, doing.actor, doing.now, "", **changed))

    return job


def report_handed_in(doing: Doing, report: Report, remind: Reminder) -> Callable[[Tx], None]:
    """Note that a report was handed in: nobody is reminded of it any more. Said again, it changes nothing."""

    def job(tx: Tx) -> None:
        row = lock(tx, doing.queue_id)
        done = [each for each, _ in reported_of(row)]
        if report in done:
            return
        tx.run(_REPORTED[report], {"b_queue_id": doing.queue_id, "b_at": doing.now})
        _remind(tx, doing, account_of(row), (*done, report), remind)
        tx.event(event(doing.queue_id, Kind.INCIDENT_CHANGED, doing.actor, doing.now, reported=report.value))

    return job


def note(doing: Doing, text: str) -> Callable[[Tx], None]:
    """Add what somebody wrote."""

    def job(tx: Tx) -> None:
        lock(tx, doing.queue_id)
        number = write_note(tx, doing, NoteKind.NOTE, text)
        tx.event(event(doing.queue_id, Kind.INCIDENT_NOTED, doing.actor, doing.now, note=number))

    return job


def close(doing: Doing, why: str) -> Callable[[Tx], None]:
    """Close it: no clock and no schedule reminds anybody any more."""

    def job(tx: Tx) -> None:
        lock(tx, doing.queue_id)
        number = write_note(tx, doing, NoteKind.CLOSED, why)
        tx.run(_CLOSE, {"b_queue_id": doing.queue_id, "b_at": doing.now})
        tx.run(_NO_REMINDERS, {"b_queue_id": doing.queue_id})
        tx.event(event(doing.queue_id, Kind.INCIDENT_CLOSED, doing.actor, doing.now, note=number))

    return job


def reopen(doing: Doing, why: str, remind: Reminder) -> Callable[[Tx], None]:
    """Open it again: the clocks run as they did."""

    def job(tx: Tx) -> None:
        row = lock(tx, doing.queue_id, closed=True)
        number = write_note(tx, doing, NoteKind.REOPENED, why)
        tx.run(_CLOSE, {"b_queue_id": doing.queue_id, "b_at": None})
        _remind(tx, doing, account_of(row), tuple(report for report, _ in reported_of(row)), remind)
        tx.event(event(doing.queue_id, Kind.INCIDENT_REOPENED, doing.actor, doing.now, note=number))

    return job


def _remind(tx: Tx, doing: Doing, account: Account, done: tuple[Report, ...], remind: Reminder) -> None:
    tx.run(_REMIND, {"b_queue_id": doing.queue_id, "b_remind_at": remind(account, done)})
