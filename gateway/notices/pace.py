"""How many letters one person gets in an hour. Bookkeeping in memory, without any I/O.

Held mails in a burst share a letter (bursts.py). This bounds everything else, and whatever makes letters breed: two gateways
that tell each other of their letters, a robot that answers what no robot should. What is too much now is written later.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.spool.notice import Notice, NoticeKind

LETTERS = 240  # at once, and again within each hour: four a minute are more than anybody reads
HOUR = timedelta(hours=1)
PEOPLE = 20_000  # remembered; who is forgotten begins anew
# Somebody sits there and waits; and nobody may learn an hour late that a mail did not arrive. A bounce breeds none: its
# reverse-path is empty (RFC 3464 2).
_AT_ONCE = frozenset({NoticeKind.CODE, NoticeKind.KEY, NoticeKind.KEY_FAILED, NoticeKind.FAILED})


@dataclass(slots=True)
class _Purse:
    letters: float
    at: datetime


class Pace:
    """Asked before each letter."""

    def __init__(self) -> None:
        self._purses: OrderedDict[str, _Purse] = OrderedDict()

    def wait(self, notice: Notice, now: datetime) -> timedelta | None:
        """Return None and count the letter, or return how long it has to wait."""
        if notice.kind in _AT_ONCE:
            return None
        purse = self._purses.get(notice.to)
        if purse is None:
            purse = self._purses[notice.to] = _Purse(LETTERS, now)
            if len(self._purses) > PEOPLE:
                self._purses.popitem(last=False)
        self._purses.move_to_end(notice.to)
        passed = max(
            timedelta(0), now - purse.at
        )  # a clock that was put back gives nothing and takes nothing
        purse.letters, purse.at = min(LETTERS, purse.letters + LETTERS * (passed / HOUR)), now
        if purse.letters < 1:
            return (1 - purse.letters) * HOUR / LETTERS
        purse.letters -= 1
        return None
