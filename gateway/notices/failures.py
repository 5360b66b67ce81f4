"""Notices that could not be written, and when each is tried again. Bookkeeping in memory, without any I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from gateway.spool.notice import Notice
from gateway.values import dataclass

MAX_TRIES = 5  # times a failing composer is asked before its notice is dropped
RETRY = timedelta(minutes=1)  # before the second try; it doubles
WAITING = (
    10_000  # notices put off because their reader gets too many, some 10 MiB; what comes on top is dropped
)
STORE_RETRY = timedelta(seconds=15)  # before a notice that the store failed is looked at again


@dataclass(frozen=True, slots=True)
class _Failure:
    notice: Notice
    tries: int
    not_before: datetime


class Failures:
    """Told of every failure; asked which notices may be tried again. Their number is bounded by MAX_TRIES."""

    def __init__(self) -> None:
        self._by_id: dict[int, _Failure] = {}

    @property
    def ids(self) -> Iterable[int]:
        """The ids of the notices that wait to be tried again."""
        return self._by_id.keys()

    def due(self, now: datetime) -> list[Notice]:
        """Return the notices that may be tried again, those that failed first in front."""
        return [each.notice for each in self._by_id.values() if each.not_before <= now]

    def failed(self, notice: Notice, now: datetime) -> int:
        """Count a try that was the notice's fault; return how many it has had."""
        tries = self._tries(notice) + 1
        self._by_id[notice.notice_id] = _Failure(notice, tries, now + RETRY * 2 ** (tries - 1))
        return tries

    def put_off(self, notice: Notice, now: datetime, span: timedelta = STORE_RETRY) -> None:
        """Let the others pass this one, which is not to blame, for a moment."""
        self._by_id[notice.notice_id] = _Failure(notice, self._tries(notice), now + span)

    @property
    def full(self) -> bool:
        """Tell whether as many wait as may."""
        return len(self._by_id) >= WAITING

    def single_out(self, notice: Notice, now: datetime) -> None:
        """Have a notice that failed among others tried by itself, at once."""
        self._by_id[notice.notice_id] = _Failure(notice, self._tries(notice), now)

    def forget(self, gone: Collection[int]) -> None:
        """Drop notices that are in the outbox no more."""
        for number in gone:
            self._by_id.pop(number, None)

    def _tries(self, notice: Notice) -> int:
        before = self._by_id.get(notice.notice_id)
        return before.tries if before else 0
