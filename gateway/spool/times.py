"""Times as the store keeps them: whole microseconds since 1970 in UTC. Exact in both directions, unlike floats. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Return an aware datetime as microseconds; a naive one raises TypeError."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def span_us(span: timedelta) -> int:
    """Return a duration as microseconds."""
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


@overload
def from_us(us: int) -> datetime: ...
@overload
def from_us(us: None) -> None: ...
def from_us(us: int | None) -> datetime | None:
    """Return the datetime in UTC; None stays None."""
    return None if us is None else _EPOCH + us * _MICROSECOND
