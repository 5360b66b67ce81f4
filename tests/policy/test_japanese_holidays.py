"""The days of Japan that everybody gets wrong: substitute days, days between holidays, years with a law of their own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gateway.policy.japanese_holidays import japanese_holidays

HOLIDAYS_OF_2026 = (  # three substitute days and a day between two holidays
    "01-01 01-12 02-11 02-23 03-20 04-29 05-03 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23"
)
HOLIDAYS_OF_2021 = (  # the year of the games: three days were moved
    "01-01 01-11 02-11 02-23 03-20 04-29 05-03 05-04 05-05 07-22 07-23 08-08 08-09 09-20 09-23 11-03 11-23"
)
HOLIDAYS_OF_2019 = (  # a new emperor: 30 April and 2 May lie between holidays
    "01-01 01-14 02-11 03-21 04-29 04-30 05-01 05-02 05-03 05-04 05-05 05-06 "
    "07-15 08-11 08-12 09-16 09-23 10-14 10-22 11-03 11-04 11-23"
)


@pytest.mark.parametrize(
    ("year", "days"), [(2019, HOLIDAYS_OF_2019), (2021, HOLIDAYS_OF_2021), (2026, HOLIDAYS_OF_2026)]
)
def test_the_holidays_of_a_year(year: int, days: str) -> None:
    is_holiday = japanese_holidays()
    found = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [f"{day:%m-%d}" for day in found if is_holiday(day)] == days.split()


def test_days_out_of_reach_are_no_holidays() -> None:
    is_holiday = japanese_holidays()
    assert not any(is_holiday(day) for day in (date.min, date(1948, 1, 1), date(2100, 1, 1), date.max))
