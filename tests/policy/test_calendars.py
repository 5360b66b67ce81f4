"""Calendars: laws that hold for any calendar at any time, and the days of Japan that everybody gets wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.policy.calendars import (
    MAX_REMEMBERED_DAYS,
    MIDNIGHT,
    Calendar,
    Days,
    add_open_hours,
    deadline,
    is_open,
    next_clock,
    next_open,
    open_spans,
)
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.policy.values import MAX_WINDOW
from gateway.yaml_source import Problems

TOKYO = ZoneInfo("Asia/Tokyo")
ZONES = ("Asia/Tokyo", "UTC", "America/New_York", "Africa/Casablanca", "Asia/Beirut", "Australia/Lord_Howe")
WEEK = frozenset(range(5))
HOLIDAYS = frozenset(
    date(2026, month, day)
    for month, day in [(5, 3), (5, 4), (5, 5), (5, 6), (9, 21), (9, 22), (9, 23), (11, 23)]
)
OFFICE = Calendar(
    TOKYO,
    ((9 * 60, 12 * 60), (13 * 60, 17 * 60)),
    WEEK,
    HOLIDAYS.__contains__,
    closes=(Days(date(2026, 12, 29), date(2027, 1, 3)),),
    opens=(Days(date(2026, 5, 3), date(2026, 5, 3)),),
)


def jst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    edges = sorted(draw(st.lists(st.integers(0, MIDNIGHT), min_size=2, max_size=6, unique=True)))
    day = st.dates(date(2026, 10, 1), date(2027, 4, 30))
    days = st.builds(lambda first, more: Days(first, first + timedelta(days=more)), day, st.integers(0, 9))
    return Calendar(
        ZoneInfo(draw(st.sampled_from(ZONES))),
        tuple(zip(edges[::2], edges[1::2], strict=False)),
        frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        HOLIDAYS.__contains__ if draw(st.booleans()) else None,
        tuple(draw(st.lists(days, max_size=3))),
        tuple(draw(st.lists(days, max_size=2))),
    )


moments = st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 30), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.integers(0, 60 * 24 * 5).map(lambda minutes: timedelta(minutes=minutes))


@given(calendars(), moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(calendar: Calendar, at: datetime) -> None:
    found = next_open(calendar, at)
    assume(found is not None)
    assert found is not None
    assert found >= at
    assert is_open(calendar, found)
    assert next_open(calendar, found) == found
    assert not is_open(calendar, at + (found - at) / 2) or found == at


@given(calendars(), moments, spans)
def test_a_later_time_never_opens_earlier(calendar: Calendar, at: datetime, later: timedelta) -> None:
    first, second = next_open(calendar, at), next_open(calendar, at + later)
    assume(first is not None and second is not None)
    assert first is not None
    assert second is not None
    assert first <= second


@given(calendars(), moments, spans, spans)
def test_one_span_after_another_is_both_at_once(
    calendar: Calendar, at: datetime, one: timedelta, other: timedelta
) -> None:
    between = add_open_hours(calendar, at, one)
    both = add_open_hours(calendar, at, one + other)
    assume(between is not None and both is not None)
    assert between is not None
    assert add_open_hours(calendar, between, other) == both


@given(calendars(), moments, spans, spans)
def test_longer_spans_and_later_starts_end_later(
    calendar: Calendar, at: datetime, span: timedelta, more: timedelta
) -> None:
    end, longer = add_open_hours(calendar, at, span), add_open_hours(calendar, at, span + more)
    from_later = add_open_hours(calendar, at + more, span)
    assume(end is not None and longer is not None and from_later is not None)
    assert end is not None
    assert longer is not None
    assert from_later is not None
    assert at + span <= end <= longer
    assert end <= from_later
    assert timedelta(0) <= deadline(at, span, calendar) <= MAX_WINDOW


@given(calendars(), moments)
def test_open_spans_are_in_order_and_disjoint(calendar: Calendar, at: datetime) -> None:
    reached = at
    for begins, ends in open_spans(calendar, at):
        assert reached <= begins < ends
        assert is_open(calendar, begins)
        reached = ends


@given(st.integers(0, MIDNIGHT - 1), st.sampled_from(ZONES), moments)
def test_a_time_of_the_day_comes_within_a_day_or_so(minute: int, zone: str, now: datetime) -> None:
    found = next_clock(now, minute, ZoneInfo(zone))
    assert found is not None
    assert now <= found <= now + timedelta(hours=26)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-20T10:00", "2026-11-20T10:00"),  # Friday, open
        ("2026-11-20T12:00", "2026-11-20T13:00"),  # noon
        ("2026-11-20T17:00", "2026-11-24T09:00"),  # the closing minute is closed; Monday is 勤労感謝の日
        ("2026-12-28T16:59", "2026-12-28T16:59"),
        ("2026-12-28T18:00", "2027-01-04T09:00"),  # the year's end
        ("2026-05-02T12:00", "2026-05-03T09:00"),  # a holiday and a Sunday, opened on purpose
        ("2026-05-03T18:00", "2026-05-07T09:00"),  # 5 May, and 6 May in place of 3 May
        ("2026-09-18T18:00", "2026-09-24T09:00"),  # 21 and 23 September, and the day between them
    ],
)
def test_an_office_in_japan(at: str, opens: str) -> None:
    found = next_open(OFFICE, jst(at))
    assert found is not None
    assert found.astimezone(TOKYO) == jst(opens)


@pytest.mark.parametrize(
    ("at", "hours", "ends"),
    [
        ("2026-11-20T10:00", 4, "2026-11-20T15:00"),  # the lunch hour does not count
        ("2026-11-20T16:00", 4, "2026-11-24T12:00"),
        ("2026-12-28T16:00", 8, "2027-01-04T17:00"),
        ("2026-11-21T03:00", 0, "2026-11-21T03:00"),
    ],
)
def test_spans_in_open_hours(at: str, hours: int, ends: str) -> None:
    assert deadline(jst(at), timedelta(hours=hours), OFFICE) == jst(ends) - jst(at)


def test_what_was_asked_of_a_calendar_before_does_not_matter() -> None:
    used = replace(OFFICE)
    for number in range(-MAX_REMEMBERED_DAYS, MAX_REMEMBERED_DAYS, 3):
        at = jst("2026-11-21T10:00") + timedelta(days=number)
        assert next_open(used, at) == next_open(replace(OFFICE), at)
        assert is_open(used, at) is is_open(replace(OFFICE), at)


def test_without_a_calendar_a_span_is_a_span() -> None:
    assert deadline(jst("2026-11-20T16:00"), timedelta(hours=4), None) == timedelta(hours=4)


def test_what_is_too_far_away_is_the_longest_wait() -> None:
    never = Calendar(TOKYO, ((540, 1020),), WEEK, closes=(Days(date(2026, 1, 1), date(2027, 12, 31)),))
    assert next_open(never, jst("2026-11-20T10:00")) is None
    assert deadline(jst("2026-11-20T10:00"), timedelta(hours=1), never) == MAX_WINDOW
    assert deadline(jst("2026-11-20T10:00"), timedelta(days=25), OFFICE) == MAX_WINDOW
    assert next_clock(jst("2026-11-20T10:00"), 600, TOKYO, never) is None


def test_the_clock_and_a_calendar_together() -> None:
    assert next_clock(jst("2026-11-20T11:00"), 600, TOKYO, OFFICE) == jst("2026-11-24T10:00")
    assert next_clock(jst("2026-11-20T10:00"), 600, TOKYO, OFFICE) == jst("2026-11-20T10:00")


def test_hours_that_summer_time_leaves_out_are_none() -> None:
    night = Calendar(ZoneInfo("America/New_York"), ((150, 170), (180, 240)), frozenset(range(7)))
    spans = list(open_spans(night, datetime(2027, 3, 14, 6, 0, tzinfo=UTC)))
    assert spans[0] == (datetime(2027, 3, 14, 7, 0, tzinfo=UTC), datetime(2027, 3, 14, 8, 0, tzinfo=UTC))


COUNTED = """
version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
calendars: {office: {hours: "09:00-17:00"}}
rules:
  - id: look
    reason: why
    then: {approve: {by: a@x.example, escalate: {to: b@x.example, after: 1h}, within: 4h, calendar: office}}
"""


def test_the_time_for_an_approval_counts_in_office_hours() -> None:
    """Handed in half an hour before a weekend begins: the rest is counted from Monday morning on."""
    policy = load_policy({"a.yaml": COUNTED})
    sender, recipient = parse_path("c@city.example.lg.jp"), parse_path("p@mail.example")
    facts = gather(Envelope(sender, (recipient,), Client("192.0.2.1")), b"\r\n")
    friday = datetime(2026, 11, 27, 16, 30, tzinfo=TOKYO)
    [approval] = decide(facts, policy, friday).of(0).demands.approvals
    assert friday + approval.within == datetime(2026, 11, 30, 12, 30, tzinfo=TOKYO)
    assert friday + approval.steps[1].after == datetime(2026, 11, 30, 9, 30, tzinfo=TOKYO)


def test_a_calendar_nobody_defined_is_named_at_its_place() -> None:
    with pytest.raises(Problems) as caught:
        load_policy({"a.yaml": COUNTED.replace("calendar: office", "calendar: offise")})
    assert "approve.calendar: no calendar is called 'offise' (did you mean 'office'?)" in str(caught.value)
