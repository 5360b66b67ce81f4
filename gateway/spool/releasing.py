"""Release: let held recipients go before their time. What waits for people is never released, by whomever.

The sender may shorten a window to its firm part; one that takes a reason, only with it. An administrator may end a window, but
neither an approval nor a confirmation: those are met, or run out of time, or the mail is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby

from gateway.spool import look_rows
from gateway.spool.first_notices import notice_row
from gateway.spool.freeze_rows import write_stays
from gateway.spool.holds import Wish, change_of, wanted
from gateway.spool.lifecycle import OF_THE_SENDER, Kind, State
from gateway.spool.moves import Arrival, move, stay
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, open_mail
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import COMMENT, FROZEN, SOMEBODY, Waiver, unmet
from gateway.spool.statements import NEW_NOTICES
from gateway.spool.times import from_us, span_us, to_us
from gateway.spool.values import Change
from gateway.store.events import storable
from gateway.store.tx import Tx
from gateway.values import dataclass

# What is due later than this was put there by no window: it waits for people, or for an administrator after a restore.
_FAR_US = span_us(timedelta(days=18_250))
_SOMEBODY, _FROZEN = to_us(SOMEBODY), to_us(FROZEN)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Until when each held recipient has to stay; `people` are those who wait for people whatever the time."""

    until: dict[int, int]
    people: frozenset[int]
    opened: Opened | None = None


def release(wish: Wish, because: str = "") -> Callable[[Tx], Change | None]:
    """Queue held recipients; what is firm for the sender stays held, but no longer than that."""
    because = storable(because).strip()[:COMMENT]

    def job(tx: Tx) -> Change | None:
        rows = wanted(tx, wish)
        if rows is None:
            return None
        held = [row for row in rows if row.state is State.HELD and row.due_at != _FROZEN]
        kept = _kept(tx, wish, held, because)
        going = [row for row in held if row.idx not in kept.people and kept.until.get(row.idx, 0) <= wish.now]
        if going:
            move(tx, going, State.QUEUED, Arrival(wish.now, due_at=wish.now, queued_at=wish.now))
            tx.event(wish.event(Kind.RELEASED, going, **_why(because)))
        leaving = frozenset(row.idx for row in going)
        staying = [row for row in held if row.idx not in leaving]
        shorter = _shorten(tx, wish, [row for row in staying if row.idx not in kept.people], kept, because)
        shorter += _waive(tx, wish, [row for row in staying if row.idx in kept.people], kept, because)
        _report(tx, wish, kept, [*going, *shorter], because)
        return change_of(going, rows)

    return job


def _kept(tx: Tx, wish: Wish, held: Sequence[RecipientRow], because: str) -> _Kept:
    by_sender = wish.reason in OF_THE_SENDER
    if not held or not (by_sender or any((row.due_at or 0) > wish.now + _FAR_US for row in held)):
        return _Kept({}, frozenset())
    opened = open_mail(tx, wish.queue_id)
    if opened is None:
        return _Kept({}, frozenset())
    looks = opened.looks.looks
    people = frozenset(row.idx for row in held if looks and unmet(looks, row.idx))
    until = {row.idx: _firm_until(opened, row.idx, because) for row in held} if by_sender else {}
    return _Kept(until, people, opened)


def _firm_until(opened: Opened, index: int, because: str) -> int:
    demands = opened.decision.of(index).demands
    firm = demands.firm if because else max(demands.firm, demands.reasoned)
    return to_us(opened.received_at) + span_us(firm)


def _shorten(
    tx: Tx, wish: Wish, rows: Sequence[RecipientRow], kept: _Kept, because: str
) -> list[RecipientRow]:
    """Move the end of a hold to the end of its firm part, never later than it was; return whose it moved."""
    until = kept.until
    sooner = sorted((row for row in rows if until[row.idx] < (row.due_at or 0)), key=lambda r: until[r.idx])
    stay(tx, [(row, until[row.idx]) for row in sooner], wish.now)
    for due_at, group in groupby(sooner, key=lambda row: until[row.idx]):
        leaves = from_us(due_at).isoformat()
        tx.event(wish.event(Kind.RELEASED, group, leaves_at=leaves, **_why(because)))
    return sooner


def _waive(tx: Tx, wish: Wish, rows: Sequence[RecipientRow], kept: _Kept, because: str) -> list[RecipientRow]:
    """Note for recipients who wait for people that their window is over sooner: no time is lost once those agree."""
    opened = kept.opened
    if opened is None or wish.reason not in OF_THE_SENDER:
        return []
    ends = {
        row.idx: end
        for row in rows
        if row.due_at == _SOMEBODY
        and (end := max(kept.until[row.idx], wish.now))
        < to_us(opened.window_ends(row.idx, from_us(wish.now)))
    }
    sooner = [row for row in rows if row.idx in ends]
    if sooner:
        before = opened.looks.waiver.ends if opened.looks.waiver is not None else {}
        known = before | {index: from_us(end) for index, end in ends.items()}
        waiver = Waiver(wish.actor.name, from_us(wish.now), because, known)
        look_rows.write_waiver(tx, wish.queue_id, opened.looks, waiver)
        if ends.keys() & opened.looks.stays.keys():
            left = {index: end for index, end in opened.looks.stays.items() if index not in ends}
            write_stays(tx, wish.queue_id, left, wish.now)
        tx.event(wish.event(Kind.RELEASED, sooner, waits_for_people=True, **_why(because)))
    return sooner


def _report(tx: Tx, wish: Wish, kept: _Kept, rows: Sequence[RecipientRow], because: str) -> None:
    """Tell those whom the rules notify that a window was shortened for a reason that it takes."""
    opened = kept.opened
    if opened is None or not because or wish.reason not in OF_THE_SENDER:
        return
    reasoned = [row.idx for row in rows if opened.decision.of(row.idx).demands.reasoned]
    if not reasoned:
        return
    told = [
        notice_row(NoticeKind.WAIVED, wish.queue_id, to, reasoned, wish.now, because)
        for to in sorted(opened.decision.notify)
    ]
    tx.insert(NEW_NOTICES, told)


def _why(because: str) -> dict[str, object]:
    return {"because": because} if because else {}
