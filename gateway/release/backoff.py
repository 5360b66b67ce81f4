"""When to try again: one pure function."""

from __future__ import annotations

from datetime import timedelta

STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 10, 20, 40, 60, 90, 120, 180))
"""The wait after the 1st, 2nd, ... attempt. Grey-listing hosts let mail in after 1 to 5 minutes; the last
step repeats."""

OLD = timedelta(days=1)
OLD_STEP = timedelta(hours=1)
"""Mail that has been tried for longer than OLD is not tried more often than this, however few attempts were
counted."""

SPREAD = 0.2
"""Share of the wait that `jitter` moves, so that mail deferred together does not come back together."""


def delay(attempts: int, age: timedelta, jitter: float = 0.0) -> timedelta:
    """Return how long to wait after attempt number `attempts` (from 1) of mail that could first leave `age`
    ago.

    `jitter` from -1 to 1 moves the wait by up to SPREAD in either direction. A negative age (the clock
    stepped) counts as none.
    """
    step = STEPS[min(max(attempts, 1), len(STEPS)) - 1]
    if age > OLD:
        step = max(step, OLD_STEP)
    return step * (1 + SPREAD * max(-1.0, min(1.0, jitter)))
