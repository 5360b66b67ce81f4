"""Japanese public holidays (国民の祝日), with substitute days (振替休日) and days between two holidays (国民の休日).

The only home of jpholiday, which knows the law and its exceptions (the moved days of 2019 to 2021). It is imported when a
policy asks for holidays and not before. Pure: the same day always has the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

FIRST_YEAR = 1949  # the law is of July 1948
LAST_YEAR = 2099  # the formula for the equinoxes is good until then; the law itself will change earlier


@lru_cache(maxsize=1)
def japanese_holidays() -> Callable[[date], bool]:
    """Return the test whether a day is a public holiday; days outside `FIRST_YEAR` to `LAST_YEAR` are none."""
    import jpholiday

    @lru_cache(maxsize=4096)  # ten years of days; the first look at a day costs a quarter of a millisecond
    def is_holiday(day: date) -> bool:
        return FIRST_YEAR <= day.year <= LAST_YEAR and jpholiday.is_holiday(day)

    return is_holiday
