"""Calendars: when an office is open, and what that makes of spans of time. Pure: the time is always given.

A calendar is hours of the day, weekdays, public holidays, and days that are closed or open against all that. Everything is
counted in instants, so that a change of the clocks (summer time) neither opens nor closes anything twice.
Nothing here raises on any aware time between the years 2 and 9998; looking ahead is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.policy.values import MAX_WINDOW
from gateway.values import dataclass

LOOK_AHEAD_DAYS = 100  # how far an opening is looked for: three times as long as anything may wait
MIDNIGHT = 24 * 60  # minutes of a day

MAX_REMEMBERED_DAYS = 400  # of one calendar, whose hours are remembered: more than lie before any mail

Span = tuple[datetime, datetime]
Minutes = tuple[int, int]
"""From and to, in minutes since midnight by the clock on the wall; `to` is not included."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days in a row, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class EveryYear:
    """Days in a row of every year, as (month, day), both included; `first` after `last` goes over the year's end."""

    first: tuple[int, int]
    last: tuple[int, int]

    def __contains__(self, day: date) -> bool:
        this = day.month, day.day
        if self.first <= self.last:
            return self.first <= this <= self.last
        return this >= self.first or this <= self.last


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an office is open. `weekdays` count from Monday = 0; `opens` beats `closes`, weekdays and holidays.

    `hours` are in order and do not touch. `holiday` tells a public holiday, None where holidays are days like others.
    """

    zone: tzinfo
    hours: tuple[Minutes, ...]
    weekdays: frozenset[int]
    holiday: Callable[[date], bool] | None = None
    closes: tuple[Days | EveryYear, ...] = ()
    opens: tuple[Days | EveryYear, ...] = ()
    _known: dict[date, tuple[Span, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """Return the spans (UTC) that begin on a day, in order; they are the same for every mail of these days."""
        known = self._known.get(day)
        if known is None:
            if len(self._known) >= MAX_REMEMBERED_DAYS:
                self._known.clear()
            known = self._known[day] = tuple(_spans_of(self, day))
        return known

    def opens_on(self, day: date) -> bool:
        """Tell whether the office opens on that day at all."""
        if any(day in days for days in self.opens):
            return True
        if day.weekday() not in self.weekdays or any(day in days for days in self.closes):
            return False
        return self.holiday is None or not self.holiday(day)


def wall_clock(day: date, minute: int, zone: tzinfo) -> datetime:
    """Return the instant (UTC) at which the clocks of `zone` show that minute of that day."""
    midnight = datetime.combine(day, time(0), zone)
    shown = datetime.combine(day, time(minute // 60, minute % 60), zone) if minute < MIDNIGHT else None
    return (shown or midnight + timedelta(days=1)).astimezone(UTC)


def _spans_of(calendar: Calendar, day: date) -> list[Span]:
    """Return the spans (UTC) that begin on a day, in order; hours that a change of the clocks leaves out are none."""
    if not calendar.opens_on(day):
        return []
    zone = calendar.zone
    spans = [(wall_clock(day, start, zone), wall_clock(day, end, zone)) for start, end in calendar.hours]
    return sorted((begins, ends) for begins, ends in spans if begins < ends)


def open_spans(calendar: Calendar, at: datetime) -> Iterator[Span]:
    """Yield the spans (UTC) in which the office is open that end after `at`, in order and disjoint; bounded."""
    reached = at.astimezone(UTC)
    today = at.astimezone(calendar.zone).date()
    for number in range(-1, LOOK_AHEAD_DAYS):
        for begins, ends in calendar.spans_of(today + timedelta(days=number)):
            if ends > reached:
                yield max(begins, reached), ends
                reached = ends


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Tell whether the office is open at that instant; the closing minute itself is closed."""
    today = at.astimezone(calendar.zone).date()
    near = (
        today + timedelta(days=number) for number in (0, -1, 1)
    )  # today's first: it is nearly always enough
    return any(begins <= at < ends for day in near for begins, ends in calendar.spans_of(day))


def next_open(calendar: Calendar, at: datetime) -> datetime | None:
    """Return the first instant from `at` on (UTC) at which the office is open; None where that is too far away."""
    return next((begins for begins, _ in open_spans(calendar, at)), None)


def add_open_hours(calendar: Calendar, at: datetime, span: timedelta) -> datetime | None:
    """Return the earliest instant (UTC) at which the office has been open for `span` since `at`.

    A span of nothing ends at once, also while the office is closed. None where the end is too far away.
    """
    rest = span
    if rest <= timedelta(0):
        return at.astimezone(UTC)
    for begins, ends in open_spans(calendar, at):
        if rest <= ends - begins:
            return begins + rest
        rest -= ends - begins
    return None


def deadline(now: datetime, span: timedelta, calendar: Calendar | None) -> timedelta:
    """Return how long after `now` a `span` has passed, counted in the calendar's open hours where there is one.

    At most `MAX_WINDOW`: nothing waits longer, whatever the calendar says.
    """
    if calendar is None:
        return min(span, MAX_WINDOW)
    return until(now, add_open_hours(calendar, now, span))


def until(now: datetime, end: datetime | None) -> timedelta:
    """Return the span from `now` to `end`, between nothing and `MAX_WINDOW`; None stands for too far away."""
    if end is None:
        return MAX_WINDOW
    return min(max(end - now, timedelta(0)), MAX_WINDOW)


def next_clock(now: datetime, minute: int, zone: tzinfo, calendar: Calendar | None = None) -> datetime | None:
    """Return the first instant from `now` on (UTC) at which the clocks show that minute of the day.

    With a calendar: the first such instant at which the office is open; None where there is none or it is too far away.
    """
    today = now.astimezone(zone).date()
    for number in range(LOOK_AHEAD_DAYS):
        shown = wall_clock(today + timedelta(days=number), minute, zone)
        if shown >= now and (calendar is None or is_open(calendar, shown)):
            return shown
    return None
