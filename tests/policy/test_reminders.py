"""When people are reminded: as the policy says, in the open hours of its calendar, and never with the end or after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.actions.second_look import reminders
from gateway.policy.calendars import Calendar, is_open
from gateway.policy.demands import NO_TIME

TOKYO = ZoneInfo("Asia/Tokyo")
OFFICE = Calendar(TOKYO, ((8 * 60 + 30, 12 * 60), (13 * 60, 17 * 60 + 15)), frozenset(range(5)))
H, M = timedelta(hours=1), timedelta(minutes=1)
FRIDAY = datetime(2026, 5, 8, 16, 0, tzinfo=TOKYO)


def at(*spans: timedelta) -> list[str]:
    return [f"{(FRIDAY + span).astimezone(TOKYO):%a %H:%M}" for span in spans]


@pytest.mark.parametrize(
    ("begins", "spans", "within", "office", "wanted"),
    [
        ([NO_TIME], [30 * M], 4 * H, None, ["Fri 16:30"]),
        ([NO_TIME, H], [30 * M], 4 * H, None, ["Fri 16:30", "Fri 17:30"]),
        ([NO_TIME, H], [H, 2 * H], 4 * H, None, ["Fri 17:00", "Fri 18:00", "Fri 19:00"]),  # said once
        ([NO_TIME], [4 * H], 4 * H, None, []),  # with the end
        ([NO_TIME], [30 * M], 96 * H, OFFICE, ["Fri 16:30"]),
        ([NO_TIME], [2 * H], 96 * H, OFFICE, ["Mon 09:15"]),
        ([NO_TIME], [75 * M], 96 * H, OFFICE, ["Mon 08:30"]),  # the closing minute: at the next opening
        ([NO_TIME], [75 * M + 210 * M], 96 * H, OFFICE, ["Mon 13:00"]),  # and so at noon
        ([NO_TIME], [2 * H], 20 * H, OFFICE, []),
        ([NO_TIME], [], 4 * H, OFFICE, []),
    ],
)
def test_the_moments(
    begins: list[timedelta],
    spans: list[timedelta],
    within: timedelta,
    office: Calendar | None,
    wanted: list[str],
) -> None:
    assert at(*reminders(FRIDAY, begins, spans, within, office)) == wanted


@given(
    st.timedeltas(NO_TIME, timedelta(days=365)).map(lambda span: datetime(2026, 1, 1, tzinfo=UTC) + span),
    st.lists(st.timedeltas(NO_TIME, 48 * H), min_size=1, max_size=3),
    st.lists(st.timedeltas(M, 48 * H), max_size=3),
    st.timedeltas(M, 240 * H),
)
def test_nobody_is_reminded_while_the_office_is_closed_or_when_it_is_over(
    now: datetime, begins: list[timedelta], spans: list[timedelta], within: timedelta
) -> None:
    found = reminders(now, begins, spans, within, OFFICE)
    assert list(found) == sorted(set(found))
    assert len(found) <= len(begins) * len(spans)
    for span in found:
        assert NO_TIME < span < within
        assert is_open(OFFICE, now + span)
