"""Which hold notices go at once, and which are collected into one letter (docs/decisions/0041-letters-of-many.md).

The first notice to a sender goes at once. What follows it closely waits for company, until no more comes, for a bounded
time, and never so long that the sender has less than three quarters of the time that was left to stop the mail. Bookkeeping
in memory, without any I/O: the rows stay in the outbox, and whoever forgets all of this loses none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from gateway.spool.notice import Notice

LISTED = 200  # mails in one letter, at some 480 octets of HTML each: webmail cuts off what is behind 100 KB
# Of silence after the last notice: a person writing mail by mail is slower, a mail merge is not.
QUIET = timedelta(seconds=10)
LONGEST = timedelta(seconds=60)  # after the first one: a minute of most windows (10 minutes) may pass unseen
SHARE = 4  # at most a quarter of what is left of the shortest hold passes before the sender knows of it
COLLECTED = 10_000  # notices in memory, about 10 MiB; with more of them every letter is written as it is
COLLECTED_RECIPIENTS = 250_000  # theirs in all, about 10 MiB: a few mails to thousands fill it


@dataclass(slots=True)
class _Sender:
    """One sender's burst. `seen`: when the last notice came; `since`, `act_by`, `not_before` bound the next letter."""

    seen: datetime
    since: datetime
    act_by: datetime
    not_before: datetime
    waiting: dict[int, Notice] = field(default_factory=dict)

    def due_at(self) -> datetime:
        return max(self.not_before, min(self.seen + QUIET, self.since + LONGEST, self.act_by))

    def ready(self, now: datetime, hurry: bool) -> bool:
        if now < self.since:  # a clock that was put back must not keep a letter waiting
            return True
        return now >= self.due_at() or (hurry and now >= self.not_before)


class Bursts:
    """Told of every new hold notice; asked for the letters that are due, one by one."""

    def __init__(self) -> None:
        self._senders: OrderedDict[str, _Sender] = OrderedDict()  # the one heard of longest ago first
        self._waiting = 0
        self._recipients = 0

    @property
    def waiting(self) -> Iterable[int]:
        """The ids of what is collected."""
        return (number for sender in self._senders.values() for number in sender.waiting)

    def add(self, notice: Notice, now: datetime) -> bool:
        """Collect a notice and return True, or return False where it is the first in a while and goes at once."""
        sender = self._senders.get(notice.to)
        if sender is None or not (sender.waiting or timedelta(0) <= now - sender.seen < QUIET):
            self._hear_of(notice.to, now)
            return False
        if not sender.waiting:
            sender = self._hear_of(notice.to, now)
        sender.seen = now
        self._senders.move_to_end(notice.to)
        self._put(sender, notice)
        if notice.hold_ends is not None:
            sender.act_by = min(sender.act_by, now + (notice.hold_ends - now) / SHARE)
        return True

    def next_letter(self, now: datetime) -> list[Notice]:
        """Return the notices of one letter that is to be written now, oldest first; they are no longer collected."""
        self._forget_quiet(now)
        hurry = self._waiting > COLLECTED or self._recipients > COLLECTED_RECIPIENTS
        for sender in self._senders.values():
            if sender.waiting and sender.ready(now, hurry):
                return self._take(sender, list(islice(sender.waiting, LISTED)))
        return []

    def put_back(self, notices: Collection[Notice], now: datetime, until: datetime) -> None:
        """Collect again what could not be written; it is not due before `until`."""
        for notice in notices:
            sender = self._senders.get(notice.to) or self._hear_of(notice.to, now)
            sender.since, sender.act_by, sender.not_before = now, until, until
            self._put(sender, notice)

    def forget(self, gone: Collection[int]) -> None:
        """Drop notices that are in the outbox no more."""
        for sender in self._senders.values():
            self._take(sender, [number for number in sender.waiting if number in gone])

    def next_due(self) -> datetime | None:
        """Return when the first letter is due; None where nothing is collected."""
        return min((each.due_at() for each in self._senders.values() if each.waiting), default=None)

    def _put(self, sender: _Sender, notice: Notice) -> None:
        if notice.notice_id not in sender.waiting:
            sender.waiting[notice.notice_id] = notice
            self._waiting += 1
            self._recipients += len(notice.recipients)

    def _take(self, sender: _Sender, numbers: Iterable[int]) -> list[Notice]:
        taken = [sender.waiting.pop(number) for number in numbers]
        self._waiting -= len(taken)
        self._recipients -= sum(len(notice.recipients) for notice in taken)
        return taken

    def _hear_of(self, to: str, now: datetime) -> _Sender:
        sender = self._senders[to] = _Sender(seen=now, since=now, act_by=now + LONGEST, not_before=now)
        self._senders.move_to_end(to)
        return sender

    def _forget_quiet(self, now: datetime) -> None:
        while self._senders:
            sender = next(iter(self._senders.values()))
            if sender.waiting or timedelta(0) <= now - sender.seen < QUIET:
                return
            self._senders.popitem(last=False)
