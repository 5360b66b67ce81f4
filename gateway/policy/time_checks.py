"""Find conditions on the time that no time fits: an office at night, Saturdays of a calendar that is closed on them.

Looks at a week of days with and without a public holiday, minute by minute where anything changes. What depends on single days
(`closed`, `open` of a calendar) may be either way, so only what is certain is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from gateway.policy.calendar_keys import CalendarPart, opening_days
from gateway.policy.calendars import MIDNIGHT
from gateway.policy.conditions.condition import Condition
from gateway.policy.conditions.time import within
from gateway.policy.sources import Source, conditions
from gateway.values import dataclass
from gateway.yaml_source import Problem

_Calendars = Mapping[str, CalendarPart]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A minute of some weekday that is a public holiday or not."""

    weekday: int
    holiday: bool
    minute: int


def check_times(sources: list[Source]) -> Iterator[Problem]:
    """Report conditions that hold at no time at all; every name that they use is known."""
    calendars = {name: part for source in sources for name, part in source.file.calendars.items()}
    for source in sources:
        for path, condition in conditions(source.file):
            if not _may_hold(condition, calendars):
                yield source.document.problem(path, *_said(condition))
        yield from _closed_then(source, calendars)


def _closed_then(source: Source, calendars: _Calendars) -> Iterator[Problem]:
    """Report holds until a time at which their calendar is never open."""
    for index, rule in enumerate(source.file.rules):
        wanted = rule.then.hold.until if rule.then.hold is not None else None
        if wanted is None or wanted.time is None or wanted.calendar is None:
            continue
        if not within(calendars[wanted.calendar].hours, wanted.time):
            message = (
                f"{wanted.calendar!r} is never open at that time: every mail would wait as long as can be"
            )
            path = ("rules", index, "then", "hold", "until")
            yield source.document.problem(path, message, "write a time in its hours, or the calendar alone")


def _said(condition: Condition) -> tuple[str, str]:
    keys = [
        key
        for key in ("time", "weekday", "holiday", "during", "outside")
        if getattr(condition, key) is not None
    ]
    hint = (
        "keys of one condition are AND; for OR write two rules" if len(keys) > 1 else "look at the calendar"
    )
    return f"can never match: no time fits {' and '.join(keys)}", hint


def _may_hold(condition: Condition, calendars: _Calendars) -> bool:
    names = (*(condition.during or ()), *(condition.outside or ()))
    if not names and condition.time is None:
        return True  # weekdays and holidays alone always meet
    if condition.during is not None and condition.outside is not None and len(set(names)) == 1:
        return False
    minutes = _changes(condition, [calendars[name] for name in names])
    moments = product(range(7), (False, True), minutes)
    return any(_fits(condition, calendars, _Moment(*moment)) for moment in moments)


def _changes(condition: Condition, calendars: list[CalendarPart]) -> list[int]:
    """Return the minutes of the day at which something may begin or end."""
    spans = [*(condition.time.between if condition.time is not None else ())]
    spans += [span for each in calendars for span in each.hours]
    return sorted({0, *(minute % MIDNIGHT for span in spans for minute in span)})


def _fits(condition: Condition, calendars: _Calendars, moment: _Moment) -> bool:
    if condition.time is not None and not within(condition.time.between, moment.minute):
        return False
    if condition.weekday is not None and moment.weekday not in condition.weekday:
        return False
    if condition.holiday is not None and condition.holiday is not moment.holiday:
        return False
    during = [_may_be_open(calendars[name], moment) for name in condition.during or ()]
    outside = [_may_be_closed(calendars[name], moment) for name in condition.outside or ()]
    return (not during or any(during)) and (not outside or any(outside))


def _may_be_open(calendar: CalendarPart, moment: _Moment) -> bool:
    return within(calendar.hours, moment.minute) and (bool(calendar.open) or _usual(calendar, moment))


def _may_be_closed(calendar: CalendarPart, moment: _Moment) -> bool:
    return bool(calendar.closed) or not within(calendar.hours, moment.minute) or not _usual(calendar, moment)


def _usual(calendar: CalendarPart, moment: _Moment) -> bool:
    """Tell whether the calendar opens on such a day if nothing is said about the very day."""
    return moment.weekday in opening_days(calendar) and not (moment.holiday and calendar.holidays == "japan")
