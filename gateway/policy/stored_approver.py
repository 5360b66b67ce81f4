"""An approver in a stored decision: an address, since when and until when, with empty texts where there is no bound.

Decisions of earlier versions have days there, both included and in Japan's time; they are read, and no longer written. A node
of such a version that reads a moment compares it as text with the day it has: in zones east of Greenwich, such as Japan's, it
comes to the same days.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from gateway.policy.demands import EVER, NEVER, Approver

_JAPAN = timezone(timedelta(hours=9))
_DAY = len("2026-08-01")


def approver_json(approver: Approver) -> list[str]:
    """Return the stored form."""
    since = "" if approver.since == EVER else approver.since.isoformat()
    until = "" if approver.until == NEVER else approver.until.isoformat()
    return [approver.address, since, until]


def approver_from(address: str, since: str, until: str) -> Approver:
    """Read the stored form."""
    return Approver(
        address,
        EVER if not since else _moment(since, timedelta()),
        NEVER if not until else _moment(until, timedelta(days=1)),
    )


def _moment(text: str, day: timedelta) -> datetime:
    """Read a moment, or a day: its begin, or its end where `day` is added."""
    if len(text) > _DAY:
        return datetime.fromisoformat(text)
    return (datetime.fromisoformat(text).replace(tzinfo=_JAPAN) + day).astimezone(UTC)
