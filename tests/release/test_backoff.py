"""The backoff as a table, and its laws."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.release.backoff import SPREAD, STEPS, delay, put_off

YOUNG, OLD = timedelta(minutes=5), timedelta(days=2)


@pytest.mark.parametrize(
    ("attempts", "age", "minutes"),
    [
        (1, YOUNG, 1),
        (2, YOUNG, 5),
        (3, YOUNG, 10),
        (4, YOUNG, 20),
        (5, YOUNG, 40),
        (6, YOUNG, 60),
        (7, YOUNG, 90),
        (8, YOUNG, 120),
        (9, YOUNG, 180),
        (10, YOUNG, 180),
        (10_000, YOUNG, 180),
        (0, YOUNG, 1),
        (1, timedelta(days=-3), 1),  # the clock was set back
        (1, OLD, 60),
        (6, OLD, 60),
        (9, OLD, 180),
    ],
)
def test_the_table(attempts: int, age: timedelta, minutes: int) -> None:
    assert delay(attempts, age) == timedelta(minutes=minutes)


@given(st.integers(0, 50), st.integers(-10, 10), st.floats(-5, 5))
def test_the_laws(attempts: int, days: int, jitter: float) -> None:
    age = timedelta(days=days)
    plain = delay(attempts, age)
    assert plain <= delay(attempts + 1, age)
    moved = delay(attempts, age, jitter)
    assert plain * (1 - SPREAD) <= moved <= plain * (1 + SPREAD)
    assert STEPS[0] * (1 - SPREAD) <= moved <= STEPS[-1] * (1 + SPREAD)


@given(st.timedeltas(timedelta(days=-1), timedelta(days=9)), st.floats(-3, 3))
def test_a_put_off_is_short(age: timedelta, jitter: float) -> None:
    assert timedelta(seconds=2) < put_off(age, jitter) <= timedelta(seconds=90)


def test_a_put_off_grows_with_the_age_and_not_with_attempts() -> None:
    ages = [timedelta(), YOUNG / 3, YOUNG, YOUNG * 2, OLD]
    assert [put_off(age).total_seconds() for age in ages] == [5, 10, 30, 60, 60]
