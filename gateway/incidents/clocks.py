"""The clocks of the law: which reports are due until when, and why. Pure; a first orientation, never the last word.

Sources: 個人情報の保護に関する法律 (APPI) article 26 with 施行規則 articles 7 and 8 for businesses, article 68 with 施行規則
articles 43 and 44 for local governments; 番号法 article 29-4 for My Numbers; 個人情報保護委員会 ガイドライン(通則編) 3-5-3 for
what "promptly" means (about three to five days) and how days are counted: the day it became known is the first. Where
something is not known yet, the stricter case counts. Nobody's encryption is taken for strong enough here: that, too, is for
the privacy officer to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.incidents.contract import Account, Data, Organisation, Report
from gateway.policy.japanese_holidays import japanese_holidays
from gateway.values import dataclass

MORE_THAN = {Organisation.LOCAL_GOVERNMENT: 100, Organisation.BUSINESS: 1_000}
"""Persons above which a leak has to be reported whatever the data: 施行規則 43(iv), 7(iv). Exactly so many is not above."""

MORE_MY_NUMBERS_THAN = 100  # 番号法29条の4の報告等に関する規則 2(iv)
SOON, PROMPTLY = 3, 5  # days of the 速報, the first day counted
USUALLY, WITH_MALICE = 30, 60  # days of the 確報: 施行規則 8(2), 44(2)
OFFICE_OPENS = time(9)  # when a reminder is sent
LOOK_AHEAD = 15  # days: longer than any row of closed days


class Ground(StrEnum):
    """Why a report is due."""

    SENSITIVE = "sensitive"
    FINANCIAL = "financial"
    MALICE = "malice"
    COUNT = "count"
    LOCAL_SENSITIVE = "local-sensitive"
    MY_NUMBER = "my-number"
    UNKNOWN_COUNT = "unknown-count"  # nobody knows how many
    UNKNOWN_DATA = "unknown-data"  # nobody knows what


NOT_CERTAIN = frozenset({Ground.UNKNOWN_COUNT, Ground.UNKNOWN_DATA})


@dataclass(frozen=True, slots=True)
class Clock:
    """One report. `due` is the last day as the days are counted; `soon` the day by which it is better done.

    `extended` is the next day on which offices are open, where the last day of a 確報 is none: then that one counts.
    """

    report: Report
    soon: date
    due: date
    extended: date | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which reports are due, if any, and why. `long`: the 確報 has 60 days."""

    grounds: tuple[Ground, ...]
    clocks: tuple[Clock, ...]
    long: bool = False

    @property
    def certain(self) -> bool:
        """Tell whether a ground speaks that is more than not knowing."""
        return not NOT_CERTAIN.issuperset(self.grounds)


def verdict(account: Account, organisation: Organisation, zone: ZoneInfo) -> Verdict:
    """Return what the law asks for, as far as the account tells."""
    grounds = tuple(_grounds(account, organisation))
    if not grounds:
        return Verdict((), ())
    known = account.known_at.astimezone(zone).date()
    malice = Ground.MALICE in grounds
    last = _nth_day(known, WITH_MALICE if malice else USUALLY)
    preliminary = Clock(Report.PRELIMINARY, _nth_day(known, SOON), _nth_day(known, PROMPTLY))
    final = Clock(Report.FINAL, last, last, _extended(last))
    return Verdict(grounds, (preliminary, final), malice)


def next_reminder(
    found: Verdict,
    reported: Collection[Report],
    leads: Iterable[timedelta],
    after: datetime,
    zone: ZoneInfo,
) -> datetime | None:
    """Return when to remind next of a report that was not handed in: in the morning, so long before its last day."""
    moments = [
        datetime.combine(clock.due - timedelta(days=lead.days), OFFICE_OPENS, zone)
        for clock in found.clocks
        if clock.report not in reported
        for lead in leads
    ]
    return min((each for each in moments if each > after), default=None)


def _grounds(account: Account, organisation: Organisation) -> Iterable[Ground]:
    data, persons = account.data, account.persons
    if Data.SENSITIVE in data:
        yield Ground.SENSITIVE
    if Data.FINANCIAL in data:
        yield Ground.FINANCIAL
    if Data.MALICE in data:
        yield Ground.MALICE
    if persons is not None and persons > MORE_THAN[organisation]:
        yield Ground.COUNT
    if Data.LOCAL_SENSITIVE in data and organisation is Organisation.LOCAL_GOVERNMENT:
        yield Ground.LOCAL_SENSITIVE
    if Data.MY_NUMBER in data and (persons is None or persons > MORE_MY_NUMBERS_THAN):
        yield Ground.MY_NUMBER
    if persons is None:
        yield Ground.UNKNOWN_COUNT
    if not data or Data.UNKNOWN in data:
        yield Ground.UNKNOWN_DATA


def _nth_day(first: date, number: int) -> date:
    return first + timedelta(days=number - 1)


def _extended(day: date) -> date | None:
    """Return the next open day of government offices, where this day is none (行政機関の休日に関する法律 1)."""
    if not _closed(day):
        return None
    return next(each for each in (day + timedelta(days=n) for n in range(1, LOOK_AHEAD)) if not _closed(each))


def _closed(day: date) -> bool:
    end_of_year = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() >= 5 or end_of_year or japanese_holidays()(day)
