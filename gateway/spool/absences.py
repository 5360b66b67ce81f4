"""When approvers are away, as they said themselves: kept by person, read by whoever has to count on them.

Saying so lets every open approval be looked at again, because fewer may be there for it now. What is over is asked for by
nobody, and goes when the next one is said: it tells nothing about anybody but where they were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.attendance import MAX_NOTE, Absence
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.reminder_rows import look_at_all_by
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor
from gateway.store.database import Database
from gateway.store.events import Event, storable
from gateway.store.reminder_tables import absences
from gateway.store.tx import Prepared, Queries, Tx

MAX_ABSENCES = 20  # of one person, still to come
LONGEST = timedelta(days=366)  # of one absence: who is away for longer is no approver any more
FURTHEST = timedelta(days=732)  # ahead; a year that was mistyped lies further
AT_ONCE = 50  # people in one statement

_A = absences.c
_COLUMNS = (_A.person, _A.since, _A.until, _A.note)
_ONE = sa.and_(_A.person == bindparam("b_person"), _A.since == bindparam("b_since"))
_OF = Prepared(
    select(*_COLUMNS)
    .where(_A.until > bindparam("b_now"))
    .where(_A.person.in_([bindparam(f"b_{place}", None) for place in range(AT_ONCE)]))
    .order_by(_A.person, _A.since)
    .limit(AT_ONCE * MAX_ABSENCES)
)
_COUNT = Prepared(select(sa.func.count()).where(_A.person == bindparam("b_person")))
_OVER = Prepared(absences.delete().where(_A.until <= bindparam("b_now")))  # a few hundred rows at most
_REMOVE = Prepared(absences.delete().where(_ONE))
_SET = Prepared(
    sa.text(
        "INSERT INTO absences (person, since, until, note, set_at, set_by)"
        " VALUES (:b_person, :b_since, :b_until, :b_note, :b_set_at, :b_set_by) ON CONFLICT (person, since) DO UPDATE SET"
        " until = excluded.until, note = excluded.note, set_at = excluded.set_at, set_by = excluded.set_by"
    )
)


class TooManyAbsences(Exception):
    """This person has said so often enough that they are away."""


def checked(absence: Absence, now: datetime) -> Absence:
    """Return the absence as it can be kept; raises ValueError with the word for what is wrong: order, past, long or far."""
    if absence.until <= absence.since:
        raise ValueError("order")
    if absence.until <= now:
        raise ValueError("past")
    if absence.until - absence.since > LONGEST:
        raise ValueError("long")
    if absence.until > now + FURTHEST:
        raise ValueError("far")
    return Absence(absence.person, absence.since, absence.until, storable(absence.note.strip())[:MAX_NOTE])


class SqlAbsences:
    """`spool.absences`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, people: Collection[str], now: datetime) -> tuple[Absence, ...]:
        """Return all absences of these people (keys) that are not over, by person and in order."""
        if not people:
            return ()
        return await self._db.readers.run(lambda queries: known(queries, people, to_us(now)))

    async def say(self, absence: Absence, actor: Actor, now: datetime) -> None:
        """Keep that somebody is away; the same begin replaces what was said before. Raises ValueError, TooManyAbsences."""
        await self._db.committer.run(_say(checked(absence, now), actor, to_us(now)))

    async def take_back(self, person: str, since: datetime, actor: Actor, now: datetime) -> bool:
        """Forget an absence; tell whether there was one."""
        return await self._db.committer.run(_take_back(person, to_us(since), actor, to_us(now)))


def known(queries: Queries, people: Collection[str], now: int) -> tuple[Absence, ...]:
    """Return all absences of these people that are not over."""
    names = sorted(people)
    found: list[Absence] = []
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        padded = *some, *[some[0]] * (AT_ONCE - len(some))
        wanted = {f"b_{place}": name for place, name in enumerate(padded)}
        rows = queries.rows(_OF, {"b_now": now, **wanted})
        found += [
            Absence(person, from_us(since), from_us(until), note) for person, since, until, note in rows
        ]
    return tuple(found)


def _say(absence: Absence, actor: Actor, now: int) -> Callable[[Tx], None]:
    since = to_us(absence.since)

    def job(tx: Tx) -> None:
        tx.run(_OVER, {"b_now": now})
        if tx.row(_COUNT, {"b_person": absence.person})[0] >= MAX_ABSENCES:
            raise TooManyAbsences(absence.person)
        told = {"b_until": to_us(absence.until), "b_note": absence.note, "b_set_at": now}
        who = {"b_person": absence.person, "b_since": since, "b_set_by": storable(actor.name)}
        tx.run(_SET, who | told)
        look_at_all_by(tx, max(since, now))
        detail = {"until": absence.until.isoformat(), "note": absence.note}
        tx.event(_event(absence.person, absence.since, "set", detail, actor, now))

    return job


def _take_back(person: str, since: int, actor: Actor, now: int) -> Callable[[Tx], bool]:
    def job(tx: Tx) -> bool:
        if not tx.run(_REMOVE, {"b_person": person, "b_since": since}):
            return False
        tx.event(_event(person, from_us(since), "removed", {}, actor, now))
        return True

    return job


def _event(person: str, since: datetime, what: str, more: dict[str, str], actor: Actor, now: int) -> Event:
    reason = Reason.BY_ADMIN if actor.kind == "admin" else Reason.BY_APPROVER
    detail = {"person": person, "what": what, "since": since.isoformat(), **more}
    return Event(now, None, Kind.ABSENCE, reason, actor.kind, actor.name, detail=detail)
