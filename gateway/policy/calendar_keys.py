"""`calendars:` of a policy file: when an office is open, as people write it, and the calendar that this makes."""

from __future__ import annotations

from datetime import tzinfo
from typing import Literal

from gateway.policy import clock_values
from gateway.policy.calendars import Calendar, Minutes
from gateway.policy.japanese_holidays import japanese_holidays
from gateway.policy.parts import Part, told

_WORKING_DAYS = (0, 1, 2, 3, 4)  # Monday to Friday


class CalendarPart(Part):
    """When an office is open."""

    hours: clock_values.Hours = told(
        "開いている時間。`09:00-17:00`、または複数",
        "when it is open: `09:00-17:00`, or several spans; required",
        ...,
    )
    weekdays: clock_values.Weekdays | None = told(
        "開いている曜日。`mon` から `sun`、または `月` から `日`。既定は月曜から金曜",
        "on which days: `mon` to `sun`, or `月` to `日`; Monday to Friday without it",
    )
    holidays: Literal["japan", "none"] = told(
        "`japan`(既定): 日本の祝日は閉まる。`none`: 祝日も開く",
        "`japan` (default): closed on Japanese public holidays; `none`: holidays are days like others",
        "japan",
    )
    closed: clock_values.DayList = told(
        "閉まる日。`2026-08-13`、`2026-12-29..2027-01-03`、毎年なら `12-29..01-03`",
        "days on which it is closed: `2026-08-13`, `2026-12-29..2027-01-03`, every year `12-29..01-03`",
        (),
    )
    open: clock_values.DayList = told(
        "曜日・祝日・`closed` にかかわらず開く日",
        "days on which it is open in spite of weekday, holiday and `closed`",
        (),
    )


def calendar(part: CalendarPart, zone: tzinfo) -> Calendar:
    """Return the calendar, in the time zone of the organisation."""
    return Calendar(
        zone=zone,
        hours=_joined(part.hours),
        weekdays=opening_days(part),
        holiday=japanese_holidays() if part.holidays == "japan" else None,
        closes=part.closed,
        opens=part.open,
    )


def opening_days(part: CalendarPart) -> frozenset[int]:
    """Return the weekdays on which it opens, Monday = 0."""
    return frozenset(_WORKING_DAYS if part.weekdays is None else part.weekdays)


def _joined(hours: tuple[Minutes, ...]) -> tuple[Minutes, ...]:
    """Return the spans in order, with those that touch or overlap made one."""
    out: list[Minutes] = []
    for start, end in sorted(hours):
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], end)
        else:
            out.append((start, end))
    return tuple(out)
