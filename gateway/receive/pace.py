"""One timer for each connection, for everything that may take too long: commands, DATA, a client that reads nothing.

The timer is moved only when it fires or when a deadline comes nearer, so that a deadline for each read costs
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

UNARMED = 60.0  # seconds after which a timer without a deadline looks again


class Watchdog:
    """Calls `expire` once when the deadline passes. Times are those of the loop.

    A later `deadline` can be written as it is, `inf` for none; for one that may be nearer there is `until`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, expire: Callable[[], None]) -> None:
        self._loop = loop
        self._expire = expire
        self.deadline = inf
        self._fires_at = inf
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def until(self, deadline: float) -> None:
        """Set the deadline, and see to it that the timer fires by then."""
        self.deadline = deadline
        if deadline < self._fires_at and not self._stopped:
            self._arm(deadline)

    def stop(self) -> None:
        """Never fire again."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = at
        self._timer = self._loop.call_at(at, self._fired)

    def _fired(self) -> None:
        now = self._loop.time()
        if now >= self.deadline:
            self.stop()
            self._expire()
        else:
            self._arm(min(self.deadline, now + UNARMED))
