"""Which reports are due until when: a table of cases, ends of months and years, and what not knowing does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incidents.clocks import MORE_THAN, Ground, next_reminder, verdict
from gateway.incidents.contract import Account, Data, Organisation, Report, What

TOKYO = ZoneInfo("Asia/Tokyo")
LOCAL, BUSINESS = Organisation.LOCAL_GOVERNMENT, Organisation.BUSINESS
LEADS = (timedelta(days=7), timedelta(days=2), timedelta(days=1))


def account(*data: Data, persons: int | None = 10, known: datetime | None = None) -> Account:
    at = known or datetime(2026, 5, 11, 10, 0, tzinfo=TOKYO)
    return Account(What.WRONG_RECIPIENTS, (), frozenset(data), persons, at)


@pytest.mark.parametrize(
    ("organisation", "data", "persons", "grounds"),
    [
        (LOCAL, {Data.NAME}, 100, ()),  # 百人を超える: a hundred are not more than a hundred
        (LOCAL, {Data.NAME}, 101, (Ground.COUNT,)),
        (BUSINESS, {Data.NAME}, 101, ()),
        (BUSINESS, {Data.NAME}, 1_000, ()),
        (BUSINESS, {Data.NAME}, 1_001, (Ground.COUNT,)),
        (BUSINESS, {Data.SENSITIVE}, 1, (Ground.SENSITIVE,)),
        (LOCAL, {Data.SENSITIVE, Data.NAME}, 1, (Ground.SENSITIVE,)),
        (BUSINESS, {Data.FINANCIAL}, 1, (Ground.FINANCIAL,)),
        (BUSINESS, {Data.MALICE, Data.NAME}, 1, (Ground.MALICE,)),
        (LOCAL, {Data.LOCAL_SENSITIVE}, 1, (Ground.LOCAL_SENSITIVE,)),
        (BUSINESS, {Data.LOCAL_SENSITIVE}, 1, ()),  # an ordinance binds the local government
        (LOCAL, {Data.MY_NUMBER}, 1, ()),
        (LOCAL, {Data.MY_NUMBER}, 101, (Ground.COUNT, Ground.MY_NUMBER)),
        (BUSINESS, {Data.MY_NUMBER}, 101, (Ground.MY_NUMBER,)),
        (BUSINESS, {Data.MY_NUMBER}, None, (Ground.MY_NUMBER, Ground.UNKNOWN_COUNT)),
        (BUSINESS, {Data.NAME}, None, (Ground.UNKNOWN_COUNT,)),
        (LOCAL, set(), 3, (Ground.UNKNOWN_DATA,)),
        (LOCAL, {Data.UNKNOWN, Data.NAME}, 3, (Ground.UNKNOWN_DATA,)),
        (LOCAL, {Data.NAME}, 0, ()),
    ],
)
def test_the_grounds(
    organisation: Organisation, data: set[Data], persons: int | None, grounds: tuple[Ground, ...]
) -> None:
    found = verdict(account(*data, persons=persons), organisation, TOKYO)
    assert found.grounds == grounds
    assert bool(found.clocks) == bool(grounds)


@pytest.mark.parametrize(
    ("known", "malice", "soon", "due", "final", "extended"),
    [
        # the day it became known is the first: 30 days from 11 May end on 9 June
        (date(2026, 5, 11), False, date(2026, 5, 13), date(2026, 5, 15), date(2026, 6, 9), None),
        (date(2026, 5, 11), True, date(2026, 5, 13), date(2026, 5, 15), date(2026, 7, 9), None),
        # over the end of February, in a common year and a leap year
        (date(2026, 1, 31), False, date(2026, 2, 2), date(2026, 2, 4), date(2026, 3, 1), date(2026, 3, 2)),
        (date(2028, 1, 31), False, date(2028, 2, 2), date(2028, 2, 4), date(2028, 2, 29), None),
        # over the end of the year: 30 December is closed until 4 January, a Monday
        (date(2026, 12, 1), False, date(2026, 12, 3), date(2026, 12, 5), date(2026, 12, 30), date(2027, 1, 4)),
        (date(2026, 12, 30), False, date(2027, 1, 1), date(2027, 1, 3), date(2027, 1, 28), None),
        # 60 days end on a Saturday: the Monday after
        (date(2026, 12, 30), True, date(2027, 1, 1), date(2027, 1, 3), date(2027, 2, 27), date(2027, 3, 1)),
        # a Sunday before two holidays in a row (3 to 6 May 2026, with a day in lieu)
        (date(2026, 4, 4), False, date(2026, 4, 6), date(2026, 4, 8), date(2026, 5, 3), date(2026, 5, 7)),
    ],
)  # fmt: skip
def test_the_days(
    known: date, malice: bool, soon: date, due: date, final: date, extended: date | None
) -> None:
    at = datetime(known.year, known.month, known.day, 10, tzinfo=TOKYO)
    data = {Data.SENSITIVE, Data.MALICE} if malice else {Data.SENSITIVE}
    found = verdict(account(*data, known=at), LOCAL, TOKYO)
    preliminary, last = found.clocks
    assert (preliminary.report, preliminary.soon, preliminary.due) == (Report.PRELIMINARY, soon, due)
    assert (last.report, last.due, last.extended, found.long) == (Report.FINAL, final, extended, malice)


def test_the_day_is_that_of_the_office_not_of_greenwich() -> None:
    late = datetime(2026, 5, 10, 23, 30, tzinfo=UTC)  # 8:30 on the 11th in Japan
    assert verdict(account(Data.SENSITIVE, known=late), LOCAL, TOKYO).clocks[0].soon == date(2026, 5, 13)


def test_not_knowing_is_told_apart() -> None:
    assert not verdict(account(Data.NAME, persons=None), LOCAL, TOKYO).certain
    assert verdict(account(Data.SENSITIVE, persons=None), LOCAL, TOKYO).certain


def test_reminders_come_before_each_last_day_and_end_with_the_reports() -> None:
    found = verdict(account(Data.SENSITIVE), LOCAL, TOKYO)  # 11 May: due on 15 May and 9 June
    at, days = datetime(2026, 5, 11, 10, tzinfo=TOKYO), []
    while (moment := next_reminder(found, (), LEADS, at, TOKYO)) is not None:
        days.append((moment.month, moment.day, moment.hour))
        at = moment
    assert days == [(5, 13, 9), (5, 14, 9), (6, 2, 9), (6, 7, 9), (6, 8, 9)]
    first = datetime(2026, 5, 11, 10, tzinfo=TOKYO)
    assert next_reminder(found, {Report.PRELIMINARY}, LEADS, first, TOKYO) == datetime(
        2026, 6, 2, 9, tzinfo=TOKYO
    )
    assert next_reminder(found, {*Report}, LEADS, first, TOKYO) is None
    assert next_reminder(verdict(account(Data.NAME), LOCAL, TOKYO), (), LEADS, first, TOKYO) is None


@given(
    st.sets(st.sampled_from([*Data])),
    st.none() | st.integers(0, 5_000),
    st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    st.sampled_from([*Organisation]),
    st.sampled_from([*Data]),
)
def test_more_data_or_more_people_never_make_it_less(
    data: set[Data], persons: int | None, day: date, organisation: Organisation, another: Data
) -> None:
    known = datetime(day.year, day.month, day.day, 22, tzinfo=UTC)
    few = verdict(account(*data, persons=persons, known=known), organisation, TOKYO)
    more = verdict(
        account(*data, another, persons=MORE_THAN[organisation] + 1, known=known), organisation, TOKYO
    )
    assert more.clocks
    for clock in few.clocks:
        assert known.astimezone(TOKYO).date() < clock.soon <= clock.due
        assert clock.extended is None or clock.due < clock.extended <= clock.due + timedelta(days=15)
