"""Queue ids: sixteen capital letters and digits that sort by time.

Eleven characters are the microsecond of acceptance (enough until the year 3111), five count on from a random start, so that
two processes meet in the same microsecond once in 33 million times; then the primary key refuses and the client tries again.
Within a process ids never repeat and never go backwards, even when the clock does.
"""

from __future__ import annotations

import secrets
import threading
from datetime import datetime

from gateway.spool.times import to_us

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: in ASCII order, nothing that reads as something else
_TIME_LENGTH = 11
_RANDOM_LENGTH = 5
LENGTH = _TIME_LENGTH + _RANDOM_LENGTH
_RANDOM_BITS = 5 * _RANDOM_LENGTH
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_PLACES = range(5 * LENGTH - 10, -1, -10)


class QueueIds:
    """Hands out queue ids; thread-safe."""

    def __init__(self) -> None:
        self._last = 0
        self._serial = secrets.randbits(_RANDOM_BITS)
        self._guard = threading.Lock()

    def new(self, received_at: datetime) -> str:
        """Return an id that sorts behind all this object gave before."""
        with self._guard:
            self._last = stamp = max(to_us(received_at), self._last + 1)
            self._serial = (self._serial + 1) % (1 << _RANDOM_BITS)
            return _base32(stamp << _RANDOM_BITS | self._serial)


def floor(at: datetime) -> str:
    """Return what sorts before every id of a mail that was accepted at that time or later."""
    return _base32(max(to_us(at), 0) << _RANDOM_BITS)[:_TIME_LENGTH]


def _base32(number: int) -> str:
    """Write LENGTH digits, two at a time."""
    return "".join([_PAIRS[number >> place & 1023] for place in _PLACES])
