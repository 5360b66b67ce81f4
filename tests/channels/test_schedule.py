"""When a key is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.channels.contract import NotSent, Why
from gateway.channels.schedule import PAUSES, retry_at
from tests.memory_spool import NOON


@pytest.mark.parametrize(("attempts", "pause"), [*enumerate(PAUSES, 1)])
def test_the_pauses_grow(attempts: int, pause: timedelta) -> None:
    assert retry_at(attempts, NotSent(Why.UNREACHABLE), NOON) == NOON + pause


def test_after_about_an_hour_a_person_is_told() -> None:
    assert retry_at(len(PAUSES) + 1, NotSent(Why.UNREACHABLE), NOON) is None
    assert timedelta(hours=1) <= sum(PAUSES, timedelta()) <= timedelta(minutes=75)


def test_what_is_final_is_final() -> None:
    assert retry_at(1, NotSent(Why.REFUSED_NUMBER, final=True), NOON) is None


@pytest.mark.parametrize(("after", "expected"), [(1, 15), (60, 60)])
def test_a_carrier_may_ask_for_a_longer_pause_and_for_no_shorter_one(after: int, expected: int) -> None:
    error = NotSent(Why.TOO_MANY, after=timedelta(seconds=after))
    assert retry_at(1, error, NOON) == NOON + timedelta(seconds=expected)


@pytest.mark.parametrize("attempts", [0, -1])
def test_a_count_that_cannot_be_is_a_first_attempt(attempts: int) -> None:
    assert retry_at(attempts, NotSent(Why.ERROR), NOON) == NOON + PAUSES[0]
