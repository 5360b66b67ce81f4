"""When a key that could not be sent is tried again, and when it is given up. Pure.

The recipient waits with a file that does not open, so the steps are short, and after an hour a person is told: the sender can
telephone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.channels.contract import NotSent

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300, 600, 900, 1800))
"""After the first attempt, the second, ...; 64 minutes in all."""


def retry_at(attempts: int, error: NotSent, now: datetime) -> datetime | None:
    """Return when to try again after so many attempts; None where the key is given up."""
    if error.final or attempts > len(PAUSES):
        return None
    pause = PAUSES[max(attempts, 1) - 1]
    return now + max(pause, error.after or pause)
