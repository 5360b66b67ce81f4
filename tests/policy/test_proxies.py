"""When a proxy may approve: its days, in the organisation's time zone, also out of decisions of earlier versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.policy.actions.proxies import Proxy, with_proxies
from gateway.policy.demands import EVER, NEVER, Approver
from gateway.policy.stored_approver import approver_from, approver_json

CHIEF, DEPUTY = "chief@example.jp", "deputy@example.jp"
INSTANT = timedelta(microseconds=1)


def acting(first: str, last: str, zone: str) -> Approver:
    proxy = Proxy.model_validate({"for": CHIEF, "by": DEPUTY, "from": first, "until": last})
    chief, deputy = with_proxies([CHIEF], [proxy], ZoneInfo(zone))
    assert chief == Approver(CHIEF)
    return deputy


@pytest.mark.parametrize(
    ("zone", "begin", "end"),
    [
        ("Asia/Tokyo", datetime(2026, 3, 28, 15, tzinfo=UTC), datetime(2026, 3, 29, 15, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 3, 29, 7, tzinfo=UTC), datetime(2026, 3, 30, 7, tzinfo=UTC)),
    ],
)
def test_a_day_is_as_long_as_it_is_there(zone: str, begin: datetime, end: datetime) -> None:
    """In Berlin, this one has 23 hours."""
    deputy = acting("2026-03-29", "2026-03-29", zone)
    assert [deputy.may_at(at) for at in (begin - INSTANT, begin, end - INSTANT, end)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_days_at_the_ends_of_the_calendar_are_no_bounds(zone: str) -> None:
    deputy = acting("0001-01-01", "9999-12-31", zone)
    assert all(deputy.may_at(datetime(year, 1, 2, tzinfo=UTC)) for year in (1, 2026, 9999))


@pytest.mark.parametrize(
    "approver",
    [
        Approver(CHIEF),
        acting("2026-08-01", "2026-08-31", "Asia/Tokyo"),
        Approver(CHIEF, EVER, NEVER - INSTANT),
    ],
)
def test_what_was_stored_is_read_back(approver: Approver) -> None:
    assert approver_from(*approver_json(approver)) == approver


def test_days_that_an_earlier_version_stored_are_in_japans_time() -> None:
    assert approver_from(DEPUTY, "2026-08-01", "2026-08-31") == acting(
        "2026-08-01", "2026-08-31", "Asia/Tokyo"
    )
    assert approver_from(CHIEF, "", "") == Approver(CHIEF)


@pytest.mark.parametrize(
    ("day", "may"), [("07-31", False), ("08-01", True), ("08-31", True), ("09-01", False)]
)
def test_an_earlier_version_comes_to_the_same_days(day: str, may: bool) -> None:
    """It compares what is stored as text with the day it has."""
    _, since, until = approver_json(acting("2026-08-01", "2026-08-31", "Asia/Tokyo"))
    assert (since <= f"2026-{day}" <= until) is may
