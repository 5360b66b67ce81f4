"""Conditions on the time of acceptance: time of day, weekday, public holiday, and whether an office is open.

All in the organisation's time zone. Nothing here is ever in doubt: the time is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from gateway.policy import clock_values, values
from gateway.policy.calendars import Calendar, Minutes, is_open
from gateway.policy.conditions.context import Context, Test
from gateway.policy.japanese_holidays import japanese_holidays
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, Short, told

MomentTest = Callable[[datetime], bool]


class Clock(Short):
    """A part of the day."""

    short = "between"

    between: clock_values.Spans = told(
        "この間。`18:00-08:00` のように夜をまたいでもよい。終わりの時刻は含まない。複数ならいずれか",
        "between these two, the second not included; may go over midnight: `18:00-08:00`. Of several, any; required",
        ...,
    )


class TimeKeys(Part):
    """Keys that ask when the mail came."""

    time: Clock | None = told(
        "メールを受け付けた時刻",
        'the mail came at this time of the day: `"18:00-08:00"`, which is short for `{between: "18:00-08:00"}`',
    )
    weekday: clock_values.Weekdays | None = told(
        "その曜日。`mon` から `sun`、または `月` から `日`",
        "the mail came on one of these days: `mon` to `sun`, or `月` to `日`",
    )
    holiday: values.Flag | None = told(
        "`true`: 日本の祝日(振替休日を含む)。`false`: 祝日でない日",
        "`true`: the mail came on a Japanese public holiday (substitute days included); `false`: on another day",
    )
    during: values.Names | None = told(
        "このカレンダーで開いている時間", "the mail came while this calendar (or one of several) is open"
    )
    outside: values.Names | None = told(
        "このカレンダーで閉まっている時間", "the mail came while this calendar (or one of several) is closed"
    )


def tests(keys: TimeKeys, context: Context, _in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    for test in moment_tests(keys, context).values():
        yield _of_mail(test)


def moment_tests(keys: TimeKeys, context: Context) -> dict[str, MomentTest]:
    """Return a test of the time alone per key that is set."""
    found: dict[str, MomentTest] = {}
    if keys.time is not None:
        found["time"] = _time(keys.time.between, context)
    if keys.weekday is not None:
        found["weekday"] = _weekday(frozenset(keys.weekday), context)
    if keys.holiday is not None:
        found["holiday"] = _holiday(keys.holiday, context)
    if keys.during is not None:
        found["during"] = _open([context.calendars[name] for name in keys.during], True)
    if keys.outside is not None:
        found["outside"] = _open([context.calendars[name] for name in keys.outside], False)
    return found


def within(spans: tuple[Minutes, ...], minute: int) -> bool:
    """Tell whether a minute of the day lies in one of the spans; a span may go over midnight."""
    return any(
        start <= minute < end if start < end else minute >= start or minute < end for start, end in spans
    )


def _of_mail(test: MomentTest) -> Test:
    def fits(mail: Mail) -> bool:
        return test(mail.now)

    return fits


def _time(spans: tuple[Minutes, ...], context: Context) -> MomentTest:
    def fits(now: datetime) -> bool:
        local = now.astimezone(context.zone)
        return within(spans, local.hour * 60 + local.minute)

    return fits


def _weekday(days: frozenset[int], context: Context) -> MomentTest:
    return lambda now: now.astimezone(context.zone).weekday() in days


def _holiday(wanted: bool, context: Context) -> MomentTest:
    is_holiday = japanese_holidays()
    return lambda now: is_holiday(now.astimezone(context.zone).date()) is wanted


def _open(calendars: list[Calendar], wanted: bool) -> MomentTest:
    return lambda now: any(is_open(calendar, now) is wanted for calendar in calendars)
