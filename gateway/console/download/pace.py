"""How often one client and one link may ask, so that nobody makes the gateway write letters and events all day.

Counted in this process and in fixed slices of time; what really keeps a code from being guessed is counted with the share,
on disk (spool/shares_codes.py).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

SLICE = timedelta(minutes=10)
OF_LINK = 30  # forms that are posted behind one link in a slice
OF_CLIENT = 120  # from one address: an office, or a whole carrier, may have one
FETCHES_OF_LINK = 500  # files, and pieces of them
FETCHES_OF_CLIENT = 2_000
COUNTED = (
    50_000  # links and addresses that are counted one by one; beyond that nobody new posts in this slice
)


class Pace:
    """Counts since the slice began."""

    def __init__(self, of_link: int = OF_LINK, of_client: int = OF_CLIENT) -> None:
        self._of_link = of_link
        self._of_client = of_client
        self._slice = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def allows(self, link: str, client: str, now: datetime) -> bool:
        """Count one more request; tell whether it may be looked at."""
        number = int(now.timestamp() // SLICE.total_seconds())
        if number != self._slice:
            self._slice, self._counts = number, Counter()
        keys = ("link", link), ("client", client)
        if len(self._counts) >= COUNTED and not all(key in self._counts for key in keys):
            return False
        self._counts.update(keys)
        return self._counts[keys[0]] <= self._of_link and self._counts[keys[1]] <= self._of_client
