"""The leases of this very process, by a clock that does not step.

A lease on disk names a time of the wall clock, for other processes. Whether our own work still runs, only the monotonic clock
can say: a wall clock that is put forward must not hand the same mail to a second worker while the first one sends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count

from gateway.spool.times import span_us
from gateway.store.errors import StoreUnavailable
from gateway.values import dataclass

Monotonic = Callable[[], float]
_NEVER = (float("-inf"), -1)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as the recipients' rows name it; `until` is its end by the wall clock, microseconds since 1970."""

    token: str
    owner: str
    until: int


class Leases:
    """Asked inside the committer's jobs, in the order of the commits; told from outside what is on disk.

    `epoch` is the number of this process's life towards others that share the store, None while they may take it for dead:
    a lease of another epoch than the present one has ended, because somebody may have taken over its work.
    """

    def __init__(self, owner: str, monotonic: Monotonic, epoch: Callable[[], int | None] = lambda: 0) -> None:
        self.owner = owner
        self._monotonic = monotonic
        self._epoch = epoch
        self._until: dict[str, tuple[float, int]] = {}
        self._open: dict[str, int] = {}
        self._lock = threading.Lock()
        self._numbers = count(1)  # the owner's name is random, and no other process has it

    def begin(self, at: int, span: timedelta, recipients: int) -> Lease:
        """Return a new lease of so many recipients from `at` on; one whose transaction fails just ends.

        Raises StoreUnavailable while others may take this process for dead.
        """
        epoch, token = self._epoch(), f"{self.owner}-{next(self._numbers)}"
        if epoch is None:
            raise StoreUnavailable("this node could not say that it lives: nothing is leased to it")
        with self._lock:
            self._until[token] = (self._monotonic() + span.total_seconds(), epoch)
            self._open[token] = recipients
        return Lease(token, self.owner, at + span_us(span))

    def lives(self, token: str | None) -> bool:
        """Tell whether this is a lease of ours that has not ended."""
        until, epoch = self._until.get(token or "", _NEVER)
        return self._monotonic() < until and epoch == self._epoch()

    def settled(self, token: str, recipients: int) -> None:
        """Say that the results of so many are on disk; a lease of which nothing is left is forgotten."""
        with self._lock:
            self._open[token] = self._open.get(token, 0) - recipients
            if self._open[token] <= 0:
                self._forget(token)

    def end(self, token: str) -> None:
        """End a lease that nobody works under: `recover` gives back what is on disk under it, now or later."""
        with self._lock:
            self._forget(token)

    def forget_old(self) -> None:
        """Drop what has ended, so that the table stays as small as the work under way."""
        now = self._monotonic()
        with self._lock:
            for token in [token for token, (until, _) in self._until.items() if until <= now]:
                self._forget(token)

    def _forget(self, token: str) -> None:
        self._until.pop(token, None)
        self._open.pop(token, None)
