"""What time does to a mail that waits for people: more may decide, or nobody is waited for any more. Nothing waits for ever.

A time-out does what the rule says (`otherwise`): it cancels who is not confirmed or approved, or counts the demand as met.
Whom files cannot be protected for is cancelled, always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from gateway.policy.demands import Approval
from gateway.policy.handling import Missing
from gateway.spool.first_notices import notice_row
from gateway.spool.freeze_rows import read_freeze
from gateway.spool.freezes import end as end_freeze
from gateway.spool.holds import Wish, tell_sender
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.look_rows import ANY_DUE_LOOK, DUE_LOOKS, PUT_OFF
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, RecordUnreadable, cancel_rows, open_mail, settle, without, write_look
from gateway.spool.reminder_rows import look_soon
from gateway.spool.second_look import Look, asked_at, next_due
from gateway.spool.statements import NEW_NOTICES
from gateway.spool.times import from_us, span_us
from gateway.spool.values import SYSTEM
from gateway.store.tx import Queries, Tx

_UNREADABLE_AGAIN = span_us(timedelta(hours=1))  # until a mail whose record cannot be read is looked at again


def any_due(now: int) -> Callable[[Queries], bool]:
    """Tell whether some deadline has passed: nearly always none has, and no transaction is needed."""
    return lambda queries: queries.row(ANY_DUE_LOOK, {"b_now": now}) is not None


def pass_deadlines(now: int, limit: int) -> Callable[[Tx], int]:
    """Do what is due on up to `limit` messages; return on how many something was."""

    def job(tx: Tx) -> int:
        found = [row[0] for row in tx.rows(DUE_LOOKS, {"b_now": now, "b_limit": limit})]
        return sum([pass_one(queue_id, now)(tx) for queue_id in found])

    return job


def pass_one(queue_id: str, now: int) -> Callable[[Tx], int]:
    """Do what is due on one message."""

    def job(tx: Tx) -> int:
        try:
            opened = open_mail(tx, queue_id)
        except RecordUnreadable:  # it stays held; the others must not wait for it
            tx.run(PUT_OFF, {"b_queue_id": queue_id, "b_now": now, "b_later": now + _UNREADABLE_AGAIN})
            return 0
        if opened is None:
            return 0
        at = from_us(now)
        due = [look for look in opened.looks.looks if look.due_at is not None and look.due_at <= at]
        for look in due:
            opened = _pass(tx, opened, look, now)
        frozen = read_freeze(tx, queue_id)
        over = frozen is not None and frozen.freeze.until <= at
        if over:
            opened = replace(opened, rows=end_freeze(tx, opened, now))
        settle(tx, opened, SYSTEM, Reason.TIMED_OUT, now)
        return int(bool(due) or over)

    return job


def _pass(tx: Tx, opened: Opened, look: Look, now: int) -> Opened:
    if not opened.held(look):
        return write_look(tx, opened, replace(look, due_at=None), now)
    approval = look.demand if isinstance(look.demand, Approval) else None
    if approval is not None and look.step + 1 < len(approval.steps) and from_us(now) < look.deadline:
        return escalate(tx, opened, look, approval, now)
    if look.demand.otherwise == "cancel" or isinstance(look.demand, Missing):
        return _cancel(tx, opened, look, now)
    return _lapse(tx, opened, look, now)


def escalate(
    tx: Tx, opened: Opened, look: Look, approval: Approval, now: int, why: Reason = Reason.NOBODY_YET
) -> Opened:
    """Let more people decide, as many steps on as were slept through, and ask them."""
    rows, step = opened.held(look), look.step + 1
    people = asked_at(approval, step, from_us(now))
    indexes = opened.shown(rows)
    asked = [notice_row(NoticeKind.APPROVAL, opened.queue_id, to, indexes, now) for to in people]
    tx.insert(NEW_NOTICES, asked)
    wish = Wish(opened.queue_id, None, SYSTEM, why, now)
    tx.event(wish.event(Kind.ESCALATED, rows, rule=approval.rule, step=step, asked=people))
    changed = replace(look, step=step, due_at=next_due(approval, step, opened.received_at))
    opened = write_look(tx, opened, changed, now)
    look_soon(tx, opened.queue_id, look.number, now)
    slept = changed.due_at is not None and changed.due_at <= from_us(now)
    return (
        escalate(tx, opened, changed, approval, now) if slept and step + 1 < len(approval.steps) else opened
    )


def _cancel(tx: Tx, opened: Opened, look: Look, now: int) -> Opened:
    rows = opened.ended_by(look)
    wish = Wish(opened.queue_id, None, SYSTEM, Reason.TIMED_OUT, now)
    told: dict[str, object] = {"rule": look.demand.rule}
    missing = look.demand.what if isinstance(look.demand, Missing) else ""
    if missing:
        told |= {"missing": missing}
    cancel_rows(tx, opened, rows, wish, NoticeKind.TIMED_OUT, told, missing)
    opened = replace(opened, rows=without(opened.rows, rows))
    return write_look(tx, opened, replace(look, due_at=None), now)


def _lapse(tx: Tx, opened: Opened, look: Look, now: int) -> Opened:
    """Count the demand as met, as its rule says; what else is asked for stays asked for."""
    rows = opened.held(look)
    wish = Wish(opened.queue_id, None, SYSTEM, Reason.TIMED_OUT, now)
    tx.event(wish.event(Kind.LAPSED, rows, rule=look.demand.rule))
    tell_sender(tx, NoticeKind.TIMED_OUT, opened.queue_id, opened.shown(rows), now)
    return write_look(tx, opened, replace(look, due_at=None, met_at=from_us(now)), now)
