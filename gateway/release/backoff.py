"""When to try again: pure functions."""

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


SOONEST, LATEST = timedelta(seconds=5), timedelta(minutes=1)
"""Bounds of the wait after a put-off: soon, for the place that was missing may be free now; a host that stays stuck must
not make its mail write to the store all the time."""

PART_OF_AGE = 10
"""Mail that could leave ten minutes ago waits one minute more."""

PUT_OFF_SPREAD = 0.5
"""Share of the wait that `jitter` moves: so short a wait needs more of it."""


def put_off(age: timedelta, jitter: float = 0.0) -> timedelta:
    """Return how long mail waits that was not tried because no connection to its host came free; no attempt counts.

    `age` and `jitter` as for `delay`.
    """
    wait = min(max(age / PART_OF_AGE, SOONEST), LATEST)
    return wait * (1 + PUT_OFF_SPREAD * max(-1.0, min(1.0, jitter)))
