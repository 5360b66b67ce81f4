"""The small values of policies that speak of time: times of the day, spans of it, weekdays, days, time zones.

A time zone is looked up when the policy is read, and never while a mail is decided on.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from gateway.policy.calendars import MIDNIGHT, Days, EveryYear, Minutes
from gateway.policy.values import OneOrMany, one_or_list
from gateway.yaml_source import Hinted

LEAP_YEAR = 2000  # a year in which every day of a year exists

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_SPAN = re.compile(r"([\d:]+) ?[-~〜] ?([\d:]+)")
_DAY = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KANJI = "月火水木金土日"


def read_clock(value: object) -> int:
    """Return the minutes since midnight of `09:00`; `24:00` is the end of the day. Raises `Hinted`."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MIDNIGHT:
        return value  # read already
    found = _CLOCK.fullmatch(_plain(value))
    minutes = int(found[1]) * 60 + int(found[2]) if found is not None else MIDNIGHT + 1
    if minutes > MIDNIGHT:
        raise Hinted(f"not a time of the day: {value!r}", "write it as 09:00, at most 24:00")
    return minutes


def _plain(value: object) -> str:
    return unicodedata.normalize("NFKC", str(value)).strip()


def _moment(value: object) -> int:
    minutes = read_clock(value)
    return 0 if minutes == MIDNIGHT else minutes


def read_span(value: object) -> Minutes:
    """Return `18:00-08:00` as minutes since midnight; may go over midnight. Raises `Hinted`."""
    if isinstance(value, tuple):
        return value
    found = _SPAN.fullmatch(_plain(value))
    if found is None:
        raise Hinted(f"not a span of the day: {value!r}", "write it as 09:00-17:00")
    start, end = read_clock(found[1]), read_clock(found[2])
    if start % MIDNIGHT == end % MIDNIGHT and (start, end) != (0, MIDNIGHT):
        raise Hinted(f"nothing lies between: {value!r}", "the whole day is 00:00-24:00")
    return start % MIDNIGHT, end or MIDNIGHT


def _hours(value: object) -> Minutes:
    start, end = read_span(value)
    if start >= end:
        hint = "write two: [22:00-24:00, 00:00-02:00]; each counts for the day it stands on"
        raise Hinted(f"opening hours do not go over midnight: {value!r}", hint)
    return start, end


def _weekday(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(WEEKDAYS):
        return value  # read already
    word = _plain(value).casefold()
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    kanji = re.fullmatch(f"([{_KANJI}])(?:曜日?)?", word)
    if kanji is None:
        raise Hinted(
            f"not a weekday: {value!r}", f"write one of {', '.join(WEEKDAYS)} or {'、'.join(_KANJI)}"
        )
    return _KANJI.index(kanji[1])


def read_days(value: object) -> Days | EveryYear:
    """Return one day or days in a row: `2026-08-13`, `2026-12-29..2027-01-03`, every year `12-29..01-03`."""
    if isinstance(value, Days | EveryYear):
        return value
    first, dots, last = _plain(value).partition("..")
    begin, end = _DAY.fullmatch(first.strip()), _DAY.fullmatch((last if dots else first).strip())
    if begin is None or end is None or bool(begin[1]) is not bool(end[1]):
        hint = "write 2026-08-13, 2026-12-29..2027-01-03 or, for every year, 12-29..01-03"
        raise Hinted(f"not a day or days: {value!r}", hint)
    one, other = _day(begin), _day(end)
    if not begin[1]:
        return EveryYear((one.month, one.day), (other.month, other.day))
    if one > other:
        raise Hinted(f"ends before it begins: {value!r}", "exchange the two")
    return Days(one, other)


def _day(found: re.Match[str]) -> date:
    try:
        return date(int(found[1] or LEAP_YEAR), int(found[2]), int(found[3]))
    except ValueError:
        raise Hinted(f"there is no such day: {found[0]!r}", "write the year, the month and the day") from None


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise Hinted(f"not a time zone: {text!r}", "write it as Asia/Tokyo, Europe/Berlin or UTC") from None
    return text


_TIME = r"([01]?\d|2[0-3]):[0-5]\d"
_DAY_PATTERN = r"(\d{4}-)?\d{2}-\d{2}"


def _like(pattern: str) -> dict[str, str]:
    return {"type": "string", "pattern": f"^{pattern}$"}


_SPANS = WithJsonSchema(one_or_list(_like(rf"{_TIME} ?[-~〜] ?({_TIME}|24:00)")))
_WEEKDAYS = WithJsonSchema(one_or_list(_like(f"({'|'.join(WEEKDAYS)}|[{_KANJI}](曜日?)?)")))
_DAYS = WithJsonSchema(one_or_list(_like(rf"{_DAY_PATTERN}(\.\.{_DAY_PATTERN})?")))

TimeOfDay = Annotated[int, BeforeValidator(_moment), WithJsonSchema(_like(f"({_TIME}|24:00)"))]
Spans = Annotated[tuple[Annotated[Minutes, BeforeValidator(read_span)], ...], OneOrMany, _SPANS]
Hours = Annotated[tuple[Annotated[Minutes, BeforeValidator(_hours)], ...], OneOrMany, _SPANS]
Weekdays = Annotated[tuple[Annotated[int, BeforeValidator(_weekday)], ...], OneOrMany, _WEEKDAYS]
DayList = Annotated[tuple[Annotated[Days | EveryYear, BeforeValidator(read_days)], ...], OneOrMany, _DAYS]
Zone = Annotated[str, AfterValidator(_zone)]
