"""Requests to delete, as jobs: a letter for each wrong recipient who has the mail, answers as they come, bounded reminders.

Nobody is asked without a press, and nobody twice: a reminder is the same letter again, at most REMINDERS times, by a press or
by the schedule that was chosen when asking. Who never got the mail is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.incidents.contract import ANSWERS, REMINDERS, Answer, Asking, IncidentRefused, NoteKind, Request
from gateway.incidents.handling import Doing, lock, write_note
from gateway.incidents.opening import event
from gateway.incidents.rows import REQUESTS, named, request_of
from gateway.spool.first_notices import notice_row
from gateway.spool.holds import recipients_among
from gateway.spool.lifecycle import Kind, State
from gateway.spool.mail_json import parsed
from gateway.spool.notice import NoticeKind
from gateway.spool.ranges import to_ranges
from gateway.spool.records import RecipientRow
from gateway.spool.statements import NEW_NOTICES, RELEASE_FACTS
from gateway.spool.times import span_us
from gateway.spool.values import SYSTEM, Actor
from gateway.store.events import storable
from gateway.store.incident_tables import deletion_requests
from gateway.store.keys import MasterKey
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound

REMINDER = "reminder"  # in the outbox: this letter is not the first
_ASKABLE = frozenset({State.DELIVERED, State.ACTIVE})  # who has the mail, or is getting it now

_D = deletion_requests.c
_ONE = (_D.queue_id == bindparam("b_queue_id"), _D.recipient == bindparam("b_recipient"))
_NEW = Prepared(
    deletion_requests.insert().values(
        queue_id=bindparam("b_queue_id"),
        recipient=bindparam("b_recipient"),
        asked_at=bindparam("b_asked_at"),
        asker=bindparam("b_asker"),
        letter=bindparam("b_letter"),
        answers=sa.literal_column("0"),
        reminders=sa.literal_column("0"),
        remind_at=bindparam("b_remind_at"),
        every=bindparam("b_every"),
    )
)
_REMINDED = Prepared(
    deletion_requests.update()
    .where(*_ONE)
    .values(
        reminders=_D.reminders + sa.literal_column("1"),
        reminded_at=bindparam("b_at"),
        remind_at=bindparam("b_remind_at"),
    )
)
_UNSCHEDULED = Prepared(deletion_requests.update().where(*_ONE).values(remind_at=sa.null()))
_ANSWERED = Prepared(
    deletion_requests.update()
    .where(*_ONE)
    .values(
        answer=bindparam("b_answer"),
        answered_at=bindparam("b_at"),
        answers=_D.answers + sa.literal_column("1"),
        remind_at=sa.null(),
        key_id=bindparam("b_key_id"),
        wrapped_comment=bindparam("b_comment"),
    )
)
_REQUEST = Prepared(select(deletion_requests).where(*_ONE))
_LOCKED_REQUEST = Prepared(select(deletion_requests).where(*_ONE).with_for_update())
_DUE = Prepared(
    select(deletion_requests)
    .where(sa.text("remind_at IS NOT NULL"), _D.remind_at <= bindparam("b_now"))
    .order_by(_D.remind_at)
    .limit(bindparam("b_limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)


def ask(doing: Doing, asking: Asking) -> Callable[[Tx], tuple[int, ...]]:
    """Ask those who have the mail and were not asked yet; the job gives whom. Raises IncidentRefused where that is nobody."""

    def job(tx: Tx) -> tuple[int, ...]:
        lock(tx, doing.queue_id)
        rows = _new(tx, doing.queue_id, asking.recipients)
        if not rows:
            raise IncidentRefused("nobody")
        letter = write_note(tx, doing, NoteKind.LETTER, asking.paragraph) if asking.paragraph else -1
        every = None if asking.every is None else span_us(asking.every)
        same = {
            "b_queue_id": doing.queue_id,
            "b_asked_at": doing.now,
            "b_asker": storable(doing.actor.name),
            "b_letter": letter,
            "b_every": every,
            "b_remind_at": None if every is None else doing.now + every,
        }
        tx.many(_NEW, [same | {"b_recipient": row.idx} for row in rows])
        asked = [row.idx for row in rows]
        _letters(tx, doing.queue_id, asked, doing.now)
        ranges = to_ranges(asked)
        tx.event(event(doing.queue_id, Kind.DELETION_ASKED, doing.actor, doing.now, ranges))
        return tuple(asked)

    return job


def remind(doing: Doing, recipients: Collection[int]) -> Callable[[Tx], tuple[int, ...]]:
    """Send the letter once more to those who did not answer and were not reminded too often; the job gives whom."""

    def job(tx: Tx) -> tuple[int, ...]:
        lock(tx, doing.queue_id)
        rows = [named(deletion_requests, row) for row in tx.rows(REQUESTS, {"b_queue_id": doing.queue_id})]
        due = [row for row in rows if row["recipient"] in recipients and _may_remind(row)]
        if not due:
            raise IncidentRefused("nobody")
        return _remind(tx, due, doing.actor, doing.now)

    return job


def answer(
    queue_id: str, recipient: int, said: Answer, comment: str, now: int, master: MasterKey
) -> Callable[[Tx], bool]:
    """Write down what a wrong recipient says; the job tells whether there was a request. The second answer is the last.

    Also where the incident is closed: it is the truth all the same. Raises IncidentRefused.
    """

    def job(tx: Tx) -> bool:
        found = tx.row(_LOCKED_REQUEST, {"b_queue_id": queue_id, "b_recipient": recipient})
        if found is None:
            return False
        if named(deletion_requests, found)["answers"] >= ANSWERS:
            raise IncidentRefused("answered-twice")
        binding = bound(deletion_requests.name, queue_id, recipient)
        wrapped = master.wrap(storable(comment).encode("utf-8"), binding) if comment else None
        place = {"b_queue_id": queue_id, "b_recipient": recipient}
        told = {"b_answer": said.value, "b_at": now, "b_comment": wrapped}
        tx.run(_ANSWERED, place | told | {"b_key_id": master.key_id if wrapped else None})
        if wrapped:
            tx.under(master.key_id)
        who, detail = Actor("recipient"), {"answer": said.value, "comment": bool(comment)}
        tx.event(event(queue_id, Kind.DELETION_ANSWERED, who, now, to_ranges([recipient]), **detail))
        return True

    return job


def remind_due(now: int, limit: int) -> Callable[[Tx], int]:
    """Send the reminders that were chosen when asking, and are due; the job gives how many."""

    def job(tx: Tx) -> int:
        by_mail: dict[str, list[dict[str, Any]]] = {}
        for row in tx.rows(_DUE, {"b_now": now, "b_limit": limit}):
            found = named(deletion_requests, row)
            by_mail.setdefault(found["queue_id"], []).append(found)
        return sum(len(_remind(tx, rows, SYSTEM, now)) for rows in by_mail.values())

    return job


def _new(tx: Tx, queue_id: str, recipients: Iterable[int]) -> list[RecipientRow]:
    """Return those who have the mail and were not asked yet; no copy that a rule asked for (`bcc_to`)."""
    facts = tx.row(RELEASE_FACTS, {"b_queue_id": queue_id})
    if facts is None:
        raise IncidentRefused("no-mail")
    decision = parsed(facts[1], facts[2])[1]
    asked = {row[1] for row in tx.rows(REQUESTS, {"b_queue_id": queue_id})}
    chosen = {*recipients} - asked
    rows = recipients_among(tx, queue_id, chosen)
    return [
        row
        for row in rows
        if may_be_asked(row.state, perhaps=bool(row.perhaps)) and not decision.is_copy(row.idx)
    ]


def may_be_asked(state: State, *, perhaps: bool) -> bool:
    """Tell whether somebody has the mail, or may have it."""
    return state in _ASKABLE or perhaps


def _may_remind(row: dict[str, Any]) -> bool:
    return row["answer"] is None and row["reminders"] < REMINDERS


def _remind(tx: Tx, rows: Iterable[dict[str, Any]], actor: Actor, now: int) -> tuple[int, ...]:
    """Send and count reminders of one mail; one whose records are gone, by damage, only loses its schedule."""
    reminded, queue_id = [], ""
    for row in rows:
        queue_id, place = row["queue_id"], {"b_queue_id": row["queue_id"], "b_recipient": row["recipient"]}
        if tx.row(RELEASE_FACTS, {"b_queue_id": queue_id}) is None:
            tx.run(_UNSCHEDULED, place)
            continue
        left = row["reminders"] + 1 < REMINDERS and row["remind_at"] is not None and row["every"] is not None
        tx.run(_REMINDED, place | {"b_at": now, "b_remind_at": now + row["every"] if left else None})
        reminded.append(row["recipient"])
    if not reminded:
        return ()
    _letters(tx, queue_id, reminded, now, REMINDER)
    told = to_ranges(reminded)
    tx.event(event(queue_id, Kind.DELETION_REMINDED, actor, now, told))
    return tuple(reminded)


def _letters(tx: Tx, queue_id: str, recipients: Iterable[int], now: int, which: str = "") -> None:
    """Put one letter for each into the outbox, to nobody else."""
    facts = tx.row(RELEASE_FACTS, {"b_queue_id": queue_id})
    envelope = parsed(facts[1], facts[2])[0]
    rows = [
        notice_row(NoticeKind.DELETION, queue_id, str(envelope.recipients[index]), [index], now, which)
        for index in recipients
    ]
    tx.insert(NEW_NOTICES, rows)


def read(queue_id: str, recipient: int, master: MasterKey) -> Callable[[Queries], Request | None]:
    """Return the read of what was asked of one recipient."""

    def job(queries: Queries) -> Request | None:
        row = queries.row(_REQUEST, {"b_queue_id": queue_id, "b_recipient": recipient})
        return None if row is None else request_of(row, master)

    return job
