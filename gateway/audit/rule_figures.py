"""What each rule did of late, for a page: the log of the last days is added up in bounded time and kept for some minutes.

`gateway/audit/rules.py` does the sums; here stands how far back it is asked, and within what somebody may see.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway.audit.daily import Day, bounds, says_scope
from gateway.audit.entries import Entry, microseconds
from gateway.audit.rules import KINDS, Effect, RuleEffects
from gateway.clock import Clock
from gateway.spool.lifecycle import Kind
from gateway.spool.list_contract import Scope
from gateway.store.readers import Readers
from gateway.store.schema import events
from gateway.store.tx import Queries
from gateway.values import dataclass

MOST_MAILS = 30_000  # followed for one answer: one to three seconds of work, beside the service's own
MOST_EVENTS = 4 * MOST_MAILS  # read for one answer, whatever the days' figures said
PAGE = 2_000  # events in memory at once
LASTS = timedelta(minutes=10)  # for which an answer is good
MOST_KEPT = 16  # answers remembered; each has some kilobytes

_E = events.c
_COLUMNS = tuple(column for column in _E if column.name != "node")
_PLACE = (_E.at, _E.node, _E.seq)


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What rules did since the beginning of the day `since`; `complete` is False where there was more than can be read."""

    since: date
    effects: Mapping[str, Effect]
    complete: bool = True


class RulesOfLate:
    """Answers for one store; one answer is worked out at a time."""

    def __init__(self, readers: Readers, zone: ZoneInfo, clock: Clock) -> None:
        self._readers = readers
        self._zone = zone
        self._clock = clock
        self._kept: OrderedDict[tuple[Scope, tuple[str, ...]], tuple[datetime, RuleFigures]] = OrderedDict()
        self._turn = asyncio.Lock()

    async def figures(self, scope: Scope, holds: Mapping[str, bool], days: tuple[Day, ...]) -> RuleFigures:
        """Return what rules did on as many of `days`, from the last back, as can be read; raises StoreUnavailable.

        `holds` tells of each rule in force whether it may hold mail.
        """
        key = (scope, tuple(sorted(holds)))
        async with self._turn:
            kept = self._kept.get(key)
            now = self._clock()
            if kept is not None and now - kept[0] < LASTS:
                return kept[1]
            since = first_day(days)
            found = await self._readers.run(lambda queries: self._read(queries, scope, holds, since))
            self._kept[key] = (now, found)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return found

    def _read(self, queries: Queries, scope: Scope, holds: Mapping[str, bool], since: date) -> RuleFigures:
        effects = RuleEffects(holds)
        read = 0
        for page in _pages(queries, microseconds(bounds(since, self._zone)[0]), scope):
            effects.add(page)
            read += len(page)
            if read >= MOST_EVENTS:
                break
        return RuleFigures(since, effects.effects, complete=read < MOST_EVENTS)


def first_day(days: tuple[Day, ...]) -> date:
    """Return the first of the last days that have MOST_MAILS mails together; the last of all in any case."""
    mails = 0
    first = days[-1].day
    for day in reversed(days):
        mails += day.mails
        if mails > MOST_MAILS:
            break
        first = day.day
    return first


def _pages(queries: Queries, since: int, scope: Scope) -> Iterator[list[Entry]]:
    """Yield events in the order of their time. Later events of mails out of scope come along: nobody follows those mails."""
    begins = _E.kind.in_((Kind.ACCEPTED, Kind.REFUSED))
    wanted = sa.or_(sa.not_(begins), says_scope(scope, _E.detail))
    chosen = sa.select(*_COLUMNS, _E.node).where(_E.kind.in_(KINDS), wanted).order_by(*_PLACE).limit(PAGE)
    place: tuple[object, ...] = (since, "", 0)
    while True:
        behind = sa.and_(_E.at >= place[0], sa.tuple_(*_PLACE) > sa.tuple_(*place))  # the first for the index
        rows = queries.connection.execute(chosen.where(behind)).all()
        if not rows:
            return
        yield [Entry.of(tuple(row)) for row in rows]
        place = (rows[-1].at, rows[-1].node, rows[-1].seq)
