"""Freezing and thawing: jobs of a transaction. What a freeze needs to know stands in a row of `second_looks`.

A frozen recipient is HELD and due at FROZEN, a time that no clock reaches and that no other hold has: what settles the looks
of a mail lets go only what is due at SOMEBODY, and what time lets go is never due. The row's due time is the freeze's own
end, so whoever passes deadlines finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.freeze_rows import Frozen, delete_freeze, read_freeze, write_freeze, write_stays
from gateway.spool.halt_contract import Freeze
from gateway.spool.holds import TOLD_OF, Wish, change_of, recipients_among, recipients_of, tell_sender
from gateway.spool.lifecycle import CANCELLABLE, Kind, Reason, State
from gateway.spool.moves import Arrival, move, stay
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, cancel_rows, open_mail
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import COMMENT, FROZEN, SOMEBODY, unmet
from gateway.spool.times import from_us, to_us
from gateway.spool.values import SYSTEM, Change
from gateway.store.events import storable
from gateway.store.schema import recipients
from gateway.store.tx import Prepared, Tx

_LOCK_ACTIVE = Prepared(
    select(recipients.c.idx)
    .where(
        recipients.c.queue_id == bindparam("b_queue_id"),
        recipients.c.state == sa.literal_column(f"'{State.ACTIVE}'"),
    )
    .order_by(recipients.c.idx)
    .with_for_update()
)
_FROZEN, _SOMEBODY = to_us(FROZEN), to_us(SOMEBODY)

Job = Callable[[Tx], Change | None]


def freeze(wish: Wish, because: str, lasts: timedelta) -> Job:
    """Hold whoever has not got the mail; the job gives None for an unknown message."""
    because = storable(because).strip()[:COMMENT]

    def job(tx: Tx) -> Change | None:
        opened = open_mail(tx, wish.queue_id)
        if opened is None:
            return None
        opened = _with_attempts_over(tx, opened)
        known = read_freeze(tx, wish.queue_id)
        going = [row for row in opened.rows if row.state in CANCELLABLE and row.due_at != _FROZEN]
        if not going and known is None and all(row.state is not State.ACTIVE for row in opened.rows):
            return change_of([], opened.rows)
        rest = dict(known.rest) if known is not None else {}
        rest |= {row.idx: _rest(opened, row, wish.now) for row in going}
        made = known.freeze if known is not None else _made(wish, because, lasts)
        write_freeze(tx, wish.queue_id, Frozen(made, rest))
        hold(tx, going, wish.now)
        if known is None or going:
            _tell(tx, wish, opened, going, because, made)
        return change_of(going, opened.rows)

    return job


def hold(tx: Tx, rows: Sequence[RecipientRow], now: int) -> None:
    """Keep recipients until somebody thaws the mail."""
    held = [row for row in rows if row.state is State.HELD]
    stay(tx, [(row, _FROZEN) for row in held], now)
    move(tx, [row for row in rows if row.state is not State.HELD], State.HELD, Arrival(now, due_at=_FROZEN))


def thaw(wish: Wish) -> Job:
    """Let time run on for whoever is frozen; the job gives None for an unknown message."""

    def job(tx: Tx) -> Change | None:
        opened = open_mail(tx, wish.queue_id)
        if opened is None:
            return None
        known = read_freeze(tx, wish.queue_id)
        if known is not None and known.freeze.kind == "admin" and wish.actor.kind != "admin":
            return change_of([], opened.rows)
        rows = frozen_rows(opened.rows)
        if known is not None:
            delete_freeze(tx, wish.queue_id)
        if rows:
            tx.event(wish.event(Kind.THAWED, rows))
            _run_on(tx, opened, rows, {} if known is None else known.rest, wish)
        return change_of(rows, opened.rows)

    return job


def end(tx: Tx, opened: Opened, now: int) -> tuple[RecipientRow, ...]:
    """Cancel what nobody thawed in time, and tell the sender; return the recipients that are left."""
    rows = frozen_rows(opened.rows)
    delete_freeze(tx, opened.queue_id)
    wish = Wish(opened.queue_id, None, SYSTEM, Reason.FROZEN_TOO_LONG, now)
    cancel_rows(tx, opened, rows, wish, NoticeKind.FROZEN_TOO_LONG, {})
    gone = {row.idx for row in rows}
    return tuple([row for row in opened.rows if row.idx not in gone])


def hold_deferred(tx: Tx, queue_id: str, deferred: Collection[int], now: int) -> None:
    """Hold those of these recipients, deferred in this transaction, whose mail was frozen while they were under way."""
    known = read_freeze(tx, queue_id)
    if known is None:
        return
    rows = recipients_among(tx, queue_id, deferred)
    back = [row for row in rows if row.state is State.DEFERRED]  # what was taken back is cancelled by now
    if not back:
        return
    hold(tx, back, now)
    tx.event(Wish(queue_id, None, SYSTEM, Reason.SYSTEM, now).event(Kind.FROZEN, back))


def frozen_rows(rows: Iterable[RecipientRow]) -> list[RecipientRow]:
    """Return those who wait for somebody to thaw the mail."""
    return [row for row in rows if row.state is State.HELD and row.due_at == _FROZEN]


def _with_attempts_over(tx: Tx, opened: Opened) -> Opened:
    """Return the mail as it is when nobody else is writing the end of an attempt.

    Who writes that a recipient is deferred looks for a freeze afterwards (`hold_deferred`). While another gateway does so,
    each of the two would miss what the other writes: the lock lets one of them come first.
    """
    if all(row.state is not State.ACTIVE for row in opened.rows):
        return opened
    tx.rows(_LOCK_ACTIVE, {"b_queue_id": opened.queue_id})
    return replace(opened, rows=tuple(recipients_of(tx, opened.queue_id)))


def _made(wish: Wish, because: str, lasts: timedelta) -> Freeze:
    at = from_us(wish.now)
    return Freeze(at, at + lasts, wish.actor.kind, storable(wish.actor.name), because)


def _rest(opened: Opened, row: RecipientRow, now: int) -> int:
    """Return what is left of a recipient's time, in microseconds."""
    if row.state is State.QUEUED:
        return 0
    due = row.due_at or now
    if due == _SOMEBODY:
        due = to_us(opened.window_ends(row.idx, from_us(now)))
    return max(0, due - now)


def _run_on(tx: Tx, opened: Opened, rows: Sequence[RecipientRow], rest: dict[int, int], wish: Wish) -> None:
    now = wish.now
    ends = {row.idx: now + rest.get(row.idx, 0) for row in rows}
    waiting = [row for row in rows if unmet(opened.looks.looks, row.idx)]
    kept = {row.idx for row in waiting}
    stay(tx, [(row, _SOMEBODY) for row in waiting], now)
    if kept:
        later = {index: from_us(ends[index]) for index in sorted(kept)}
        write_stays(tx, wish.queue_id, opened.looks.stays | later, now)
    stay(tx, [(row, ends[row.idx]) for row in rows if row.idx not in kept and ends[row.idx] > now], now)
    going = [row for row in rows if row.idx not in kept and ends[row.idx] <= now]
    if going:
        move(tx, going, State.QUEUED, Arrival(now, due_at=now, queued_at=now))
        tx.event(wish.event(Kind.RELEASED, going))


def _tell(
    tx: Tx, wish: Wish, opened: Opened, rows: Sequence[RecipientRow], because: str, made: Freeze
) -> None:
    said = {"because": because} if because else {}
    tx.event(wish.event(Kind.FROZEN, rows, until=made.until.isoformat(), **said))
    shown = opened.shown(rows)
    if wish.actor.kind in TOLD_OF and shown:
        tell_sender(tx, NoticeKind.FROZEN, wish.queue_id, shown, wish.now, wish.actor.name)
