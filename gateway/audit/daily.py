"""What happened on each day, counted by SQL from the event log: one statement for a day, within what somebody may see.

A day that is over never changes, because the log only grows at its end; so days are counted once and remembered (MOST_DAYS).
Nothing here reads a body, an address or a subject into memory.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway.audit.entries import microseconds
from gateway.clock import Clock
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.list_contract import Scope
from gateway.store.events import canonical
from gateway.store.readers import Readers
from gateway.store.schema import events
from gateway.store.tx import Queries
from gateway.values import dataclass

MOST_DAYS = 8_000  # remembered: a year for some twenty scopes, about 8 MiB
SETTLED = timedelta(minutes=5)  # after midnight: an event carries the time at which its writing began
LASTS = timedelta(minutes=1)  # for which figures of a day that is not over are good
WAITS = (600, 3_600, 4 * 3_600, 86_400)  # seconds: bounds of the groups that approvals are counted in

_E, _A = events.c, events.alias("acceptance").c
_OF = events.alias("of").c  # the acceptance again, where it is asked for within a condition


class Measure(StrEnum):
    """What is counted: mails, but `approved` counts approvals."""

    FREE = "free"  # taken in, nothing held
    HELD = "held"  # taken in, somebody of it held
    REFUSED = "refused"
    SAVED = "saved"  # cancelled by somebody, for one recipient at least
    REJECTED = "rejected"  # by an approver
    LAPSED = "lapsed"  # cancelled because nobody decided in time
    APPROVED = "approved"
    INCIDENTS = "incidents"


SAVING = (
    Reason.BY_SENDER,
    Reason.BY_COLLEAGUE,
    Reason.BY_ADMIN,
    Reason.BY_APPROVER,
    Reason.BY_ORDERING,
    Reason.BY_RECIPIENT,
)
_CANCELLED = _E.kind == Kind.CANCELLED
_MEASURES: tuple[tuple[sa.ColumnElement[bool], Measure], ...] = (
    (sa.and_(_E.kind == Kind.ACCEPTED, _E.reason == Reason.POLICY), Measure.HELD),
    (sa.and_(_E.kind == Kind.ACCEPTED, _E.reason != Reason.SYSTEM), Measure.FREE),
    (_E.kind == Kind.REFUSED, Measure.REFUSED),
    (sa.and_(_CANCELLED, _E.reason.in_(SAVING)), Measure.SAVED),
    (sa.and_(_CANCELLED, _E.reason == Reason.REJECTED), Measure.REJECTED),
    (sa.and_(_CANCELLED, _E.reason == Reason.TIMED_OUT), Measure.LAPSED),
    (_E.kind == Kind.APPROVED, Measure.APPROVED),
    (_E.kind == Kind.INCIDENT_OPENED, Measure.INCIDENTS),
)
_KINDS = (Kind.ACCEPTED, Kind.REFUSED, Kind.CANCELLED, Kind.APPROVED, Kind.INCIDENT_OPENED)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's figures. `waits` counts approvals by how long the mail had waited: up to each bound of WAITS, and longer."""

    day: date
    counts: Mapping[Measure, int] = field(default_factory=dict)
    waits: tuple[int, ...] = (0,) * (len(WAITS) + 1)

    def of(self, *measures: Measure) -> int:
        return sum(self.counts.get(measure, 0) for measure in measures)

    @property
    def mails(self) -> int:
        """Return how many mails were handed in by people."""
        return self.of(Measure.FREE, Measure.HELD, Measure.REFUSED)


class DailyFigures:
    """Counts days of one store in `zone`, one at a time: who asks at the same time finds the days of the other counted."""

    def __init__(self, readers: Readers, zone: ZoneInfo, clock: Clock) -> None:
        self._readers = readers
        self._zone = zone
        self._clock = clock
        self._counted: OrderedDict[tuple[Scope, date], tuple[Day, datetime | None]] = OrderedDict()
        self._turn = asyncio.Lock()

    def today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    async def days(self, scope: Scope, first: date, last: date) -> tuple[Day, ...]:
        """Return the days from `first` to `last`, both included, of mails in `scope`; raises StoreUnavailable."""
        found = []
        for n in range((last - first).days + 1):
            async with self._turn:
                found.append(await self._day(scope, first + timedelta(days=n)))
        return tuple(found)

    async def _day(self, scope: Scope, day: date) -> Day:
        now = self._clock()
        known = self._counted.get((scope, day))
        if known is not None and (known[1] is None or now < known[1]):
            self._counted.move_to_end((scope, day))
            return known[0]
        since, until = bounds(day, self._zone)
        counted = await self._readers.run(lambda queries: _count(queries, day, since, until, scope))
        over = now >= until + SETTLED
        self._counted[scope, day] = (counted, None if over else now + LASTS)
        while len(self._counted) > MOST_DAYS:
            self._counted.popitem(last=False)
        return counted


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a day begins, and when it ends, which may be 23 or 25 hours later."""
    begins = datetime.combine(day, time(), zone)
    return begins, datetime.combine(day + timedelta(days=1), time(), zone)


def says_scope(scope: Scope, detail: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Match the detail of an acceptance or a refusal of a mail in the groups of `scope`.

    The canonical spelling has no space, and a quotation mark inside a text has a backslash before it: `"groups":[` stands
    nowhere but at that key, however a mail's subject reads. Addresses and logins of a scope are not looked at: figures are
    for roles that go by groups (gateway/people/sight.py).
    """
    if scope.everything:
        return sa.true()
    names = [canonical(group) for group in sorted(scope.groups)]
    places = [detail.like(f'%"groups":[%{_literally(name)}%', escape="/") for name in names]
    return sa.or_(sa.false(), *places)


def _literally(text: str) -> str:
    return "".join("/" + character if character in "/%_" else character for character in text)


def _in_scope(scope: Scope) -> sa.ColumnElement[bool]:
    """Match events of mails in `scope`; later events of a mail go by its acceptance."""
    if scope.everything:
        return sa.true()
    acceptance = sa.exists().where(
        _OF.queue_id == _E.queue_id, _OF.kind == Kind.ACCEPTED, says_scope(scope, _OF.detail)
    )
    begins = _E.kind.in_((Kind.ACCEPTED, Kind.REFUSED))
    return sa.or_(sa.and_(begins, says_scope(scope, _E.detail)), sa.and_(sa.not_(begins), acceptance))


def _count(queries: Queries, day: date, since: datetime, until: datetime, scope: Scope) -> Day:
    during = (_E.at >= microseconds(since), _E.at < microseconds(until), _in_scope(scope))
    measure = sa.case(*_MEASURES, else_="").label("measure")
    mails = sa.func.count(sa.distinct(sa.case((_CANCELLED, _E.queue_id))))
    wanted = sa.select(measure, sa.func.count(), mails).where(_E.kind.in_(_KINDS), *during).group_by(measure)
    rows = queries.connection.execute(wanted).all()
    cancelled = {Measure.SAVED, Measure.REJECTED, Measure.LAPSED}
    counts = {Measure(name): distinct if name in cancelled else n for name, n, distinct in rows if name}
    waits = _waits(queries, during) if counts.get(Measure.APPROVED) else Day(day).waits
    return Day(day, counts, waits)


def _waits(queries: Queries, during: tuple[sa.ColumnElement[bool], ...]) -> tuple[int, ...]:
    """Return how many approvals came how long after the mail."""
    waited = _E.at - _A.at
    groups = sa.case(*[(waited <= bound * 1_000_000, n) for n, bound in enumerate(WAITS)], else_=len(WAITS))
    wanted = (
        sa.select(groups, sa.func.count())
        .where(_E.kind == Kind.APPROVED, _A.queue_id == _E.queue_id, _A.kind == Kind.ACCEPTED, *during)
        .group_by(groups)
    )
    found = {int(group): int(count) for group, count in queries.connection.execute(wanted)}
    return tuple(found.get(group, 0) for group in range(len(WAITS) + 1))
