"""What happens to a demand before its own deadline: reminders, proxies whose days begin, and approvers who are all away.

Who looks locks the mail first, so two gateways tell nobody twice; what was slept through, or interrupted by a crash, is told
once. This goes before the deadlines of the same moment: who is asked then is not reminded of it in the same minute.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.policy.demands import Approval
from gateway.spool import absences
from gateway.spool.attendance import (
    Absence,
    approvers_of,
    asked_now,
    begun,
    next_moment,
    reminder_due,
    too_few,
)
from gateway.spool.deadlines import escalate
from gateway.spool.first_notices import notice_row
from gateway.spool.holds import Wish, tell_sender
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, RecordUnreadable, open_mail
from gateway.spool.reminder_rows import done, due_mails, due_of, forget, look_again
from gateway.spool.second_look import Look
from gateway.spool.statements import NEW_NOTICES
from gateway.spool.times import from_us, to_us
from gateway.spool.values import SYSTEM
from gateway.store.tx import Tx
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class _Round:
    """One demand that is looked at, by its number: all until `last` is done. `away` are its people's absences."""

    number: int
    last: datetime
    now: datetime
    away: tuple[Absence, ...]

    @property
    def at(self) -> int:
        return to_us(self.now)


def look_at_due(now: int, limit: int) -> Callable[[Tx], int]:
    """Look at what is due on up to `limit` messages; return on how many somebody was told."""

    def job(tx: Tx) -> int:
        return sum([_look_at(tx, queue_id, now) for queue_id in due_mails(tx, now, limit)])

    return job


def _look_at(tx: Tx, queue_id: str, now: int) -> bool:
    try:
        opened = open_mail(tx, queue_id)
    except RecordUnreadable:
        opened = None
    if opened is None:  # nobody can tell whom to remind
        forget(tx, queue_id)
        return False
    told = False
    for number, looked_at in due_of(tx, queue_id, now):  # under the lock: another gateway may have looked
        look = _numbered(opened, number)
        if look is None or look.due_at is None or from_us(now) >= look.deadline or not opened.held(look):
            done(tx, queue_id, number)
            continue
        people = {each.address for each in approvers_of(look)}
        away = absences.known(tx, people, now)
        opened, something = _go_on(tx, opened, _Round(number, from_us(looked_at), from_us(now), away))
        told = told or something
    return told


def _go_on(tx: Tx, opened: Opened, one: _Round) -> tuple[Opened, bool]:
    """Do what is due, and say when to look again; tell whether anything was."""
    look = _of(opened, one)
    people = begun(look, one.last, one.now)
    reminds = reminder_due(look, opened.received_at, one.last, one.now)
    if reminds:
        _remind(tx, opened, look, _asked_before(look, one), one.at)
    if people:
        _welcome(tx, opened, look, people, one.at)
    opened = _escalate(tx, opened, one)
    after = _of(opened, one)
    next_at = next_moment(after, one.away, opened.received_at, one.now)
    look_again(tx, opened.queue_id, one.number, to_us(next_at), one.at)
    return opened, reminds or bool(people) or after.step > look.step


def _asked_before(look: Look, one: _Round) -> list[str]:
    return sorted({*asked_now(look, one.last)} & {*asked_now(look, one.now)})


def _remind(tx: Tx, opened: Opened, look: Look, people: list[str], now: int) -> None:
    """Tell those again who were asked before and have not decided: approvers, or the sender who has to tick."""
    rows = opened.held(look)
    if isinstance(look.demand, Approval):
        _ask(tx, opened, people, NoticeKind.REMINDER, look, now)
    else:
        tell_sender(tx, NoticeKind.REMINDER, opened.queue_id, opened.shown(rows), now)
    wish = Wish(opened.queue_id, None, SYSTEM, Reason.NOBODY_YET, now)
    tx.event(wish.event(Kind.REMINDED, rows, rule=look.demand.rule, step=look.step, asked=people))


def _welcome(tx: Tx, opened: Opened, look: Look, people: list[str], now: int) -> None:
    """Ask the proxies whose days have begun."""
    _ask(tx, opened, people, NoticeKind.APPROVAL, look, now)
    wish = Wish(opened.queue_id, None, SYSTEM, Reason.PROXY_BEGINS, now)
    detail = {"rule": look.demand.rule, "step": look.step, "asked": people}
    tx.event(wish.event(Kind.ESCALATED, opened.held(look), **detail))


def _escalate(tx: Tx, opened: Opened, one: _Round) -> Opened:
    """Ask the next step at once, and those behind it, while fewer are there than are needed."""
    look = _of(opened, one)
    while (
        isinstance(look.demand, Approval)
        and look.step + 1 < len(look.demand.steps)
        and too_few(look, one.away, one.now)
    ):
        opened = escalate(tx, opened, look, look.demand, one.at, Reason.ALL_AWAY)
        look = _of(opened, one)
    return opened


def _ask(tx: Tx, opened: Opened, people: list[str], kind: NoticeKind, look: Look, now: int) -> None:
    indexes = opened.shown(opened.held(look))
    tx.insert(NEW_NOTICES, [notice_row(kind, opened.queue_id, to, indexes, now) for to in people])


def _numbered(opened: Opened, number: int) -> Look | None:
    return next((look for look in opened.looks.looks if look.number == number), None)


def _of(opened: Opened, one: _Round) -> Look:
    return next(look for look in opened.looks.looks if look.number == one.number)
