"""The one place that reads the clock. Rooms get a `Clock` or a `now`; tests give them their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the wall clock as an aware datetime in UTC."""
    return datetime.now(UTC)
