"""How much mail may come from one account or network: mails, recipients, connections by time. No I/O; times are passed in.

What a mail uses is counted when it is addressed and given back unless the mail is taken, so that a refused attempt costs
nothing, and no mail is refused for its rate after its 250. The tables are bounded: a flood of addresses pushes
out those that were not seen for longest. Counted by each process for itself (docs/decisions/0033-rates.md).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from math import ceil
from typing import NamedTuple

from gateway.config.settings import Limits
from gateway.receive.limits import client_group
from gateway.receive.reply import Reply
from gateway.values import dataclass

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0  # seconds
PARTS = 12  # of a window: what was used is forgotten this many parts after its own, so between 1 and 13/12 windows later
KEYS = 20_000  # accounts or networks remembered by one window, twice as many as there can be accounts: at most 30 MiB


class Window:
    """How often each key did something within a sliding window of `seconds`."""

    def __init__(self, allowed: int, seconds: float, keys: int = KEYS) -> None:
        self._allowed = allowed
        self._part = seconds / PARTS
        self._keys = keys
        self._used: OrderedDict[str, _Used] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def used(self, key: str, now: float) -> int:
        """Return how often within the window; never less than the truth."""
        used = self._current(key, now)
        return used.total if used is not None else 0

    def wait(self, key: str, now: float) -> float:
        """Return the seconds until once more is allowed; 0 for now. Counts nothing."""
        used = self._current(key, now)
        if used is None or used.total < self._allowed:
            return 0.0
        excess = used.total - self._allowed
        for part, count in used.parts:
            excess -= count
            if excess < 0:
                return max((part + PARTS + 1) * self._part - now, 1.0)
        return self._part * (PARTS + 1)  # nothing is allowed at all

    def count(self, key: str, now: float) -> None:
        """Count once."""
        used = self._current(key, now)
        if used is None:
            used = self._used[key] = _Used()
            if len(self._used) > self._keys:
                self._used.popitem(last=False)
        self._used.move_to_end(key)
        used.add(int(now // self._part))

    def give_back(self, key: str, amount: int, since: float) -> None:
        """Take back what was counted at or after `since`: from its oldest part on, so that the rest counts for longest."""
        used = self._used.get(key)
        if used is not None:
            used.take_back(amount, int(since // self._part))

    def _current(self, key: str, now: float) -> _Used | None:
        used = self._used.get(key)
        if used is None:
            return None
        used.forget(int(now // self._part) - PARTS)
        if used.total:
            return used
        del self._used[key]
        return None


class _Used:
    """Counts by part of time, oldest first; parts without any are left out, so there are never more than PARTS + 1."""

    __slots__ = ("parts", "total")

    def __init__(self) -> None:
        self.parts: deque[list[int]] = deque()
        self.total = 0

    def add(self, part: int) -> None:
        if not self.parts or self.parts[-1][0] != part:
            self.parts.append([part, 0])
        self.parts[-1][1] += 1
        self.total += 1

    def forget(self, oldest: int) -> None:
        while self.parts and self.parts[0][0] < oldest:
            self.total -= self.parts.popleft()[1]

    def take_back(self, amount: int, first: int) -> None:
        for entry in self.parts:
            if entry[0] >= first:
                taken = min(amount, entry[1])
                entry[1] -= taken
                amount -= taken
                self.total -= taken


@dataclass(frozen=True, slots=True)
class Over:
    """A rate that is used up: what it is of, and the seconds until there is room."""

    what: str
    seconds: float

    def reply(self) -> Reply:
        """Return the refusal of MAIL or RCPT, in words for the person who sends."""
        return Reply(450, "4.7.1", f"too many {self.what}; try again in {_span(self.seconds)}", "rate")

    def parting(self) -> Reply:
        """Return the refusal of a connection."""
        text = f"too many {self.what}; try again in {_span(self.seconds)}"
        return Reply(421, "4.7.0", text, "rate", closes=True)


class _Counted(NamedTuple):
    """Where one thing is counted, and what it is called."""

    window: Window
    key: str
    what: str


class Usage:
    """What one mail uses. Nothing of it is left after `give_back`; after `keep` it stays."""

    __slots__ = ("_began", "_mails", "_of_mail", "_of_recipient", "_recipients")

    def __init__(self, of_mail: tuple[_Counted, ...], of_recipient: tuple[_Counted, ...], now: float) -> None:
        self._of_mail = of_mail
        self._of_recipient = of_recipient
        self._began = now
        self._mails = self._recipients = 0

    def mail(self, now: float) -> Over | None:
        """Count the mail, or return why not."""
        over = _take(self._of_mail, now) if self._of_mail else None
        self._mails += over is None
        return over

    def recipient(self, now: float) -> Over | None:
        """Count a recipient, or return why not."""
        over = _take(self._of_recipient, now) if self._of_recipient else None
        self._recipients += over is None
        return over

    def keep(self) -> None:
        """Let it stand: the mail was taken."""
        self._mails = self._recipients = 0

    def give_back(self) -> None:
        """Undo it: the mail was not taken."""
        if self._mails:
            for counted in self._of_mail:
                counted.window.give_back(counted.key, self._mails, self._began)
        if self._recipients:
            for counted in self._of_recipient:
                counted.window.give_back(counted.key, self._recipients, self._began)
        self._mails = self._recipients = 0


def _take(all_of: tuple[_Counted, ...], now: float) -> Over | None:
    """Count once in each window, or in none."""
    for counted in all_of:
        seconds = counted.window.wait(counted.key, now)
        if seconds:
            return Over(counted.what, seconds)
    for counted in all_of:
        counted.window.count(counted.key, now)
    return None


class Rates:
    """All windows of a process. A limit of None or 0 is none."""

    def __init__(self, limits: Limits) -> None:
        self._connections = _windows((limits.connections_per_minute, MINUTE, "connections from your network"))
        self._account_mails = _windows((limits.mails_per_hour, HOUR, "mails from this account in an hour"))
        self._account_recipients = _windows(
            (limits.recipients_per_hour, HOUR, "recipients from this account in an hour"),
            (limits.recipients_per_day, DAY, "recipients from this account in a day"),
        )
        self._network_mails = _windows(
            (limits.network_mails_per_hour, HOUR, "mails from your network in an hour")
        )
        self._network_recipients = _windows(
            (limits.network_recipients_per_hour, HOUR, "recipients from your network in an hour")
        )
        self._relay_mails = _windows((limits.relay_mails_per_hour, HOUR, "mails from this relay in an hour"))
        self._relay_recipients = _windows(
            (limits.relay_recipients_per_hour, HOUR, "recipients from this relay in an hour")
        )

    def connection(self, ip: str, now: float) -> Over | None:
        """Count a connection of a client that is no trusted relay, or return why not."""
        return _take(_under(self._connections, client_group(ip)), now)

    def usage(self, account: str | None, ip: str, trusted: bool, now: float) -> Usage:
        """Return where a mail is counted: an account's in the account, what comes from outside in its network too."""
        mails: tuple[_Counted, ...] = ()
        recipients: tuple[_Counted, ...] = ()
        if account is not None:
            mails = _under(self._account_mails, account)
            recipients = _under(self._account_recipients, account)
        elif trusted:
            group = client_group(ip)
            mails, recipients = _under(self._relay_mails, group), _under(self._relay_recipients, group)
        if not trusted:
            group = client_group(ip)
            mails += _under(self._network_mails, group)
            recipients += _under(self._network_recipients, group)
        return Usage(mails, recipients, now)


def _windows(*rates: tuple[int | None, float, str]) -> tuple[tuple[Window, str], ...]:
    return tuple((Window(allowed, seconds), what) for allowed, seconds, what in rates if allowed)


def _under(windows: tuple[tuple[Window, str], ...], key: str) -> tuple[_Counted, ...]:
    return tuple([_Counted(window, key, what) for window, what in windows]) if windows else ()


def _span(seconds: float) -> str:
    minutes = max(1, ceil(seconds / 60))
    if minutes <= 90:
        return f"{minutes} minute{'s' * (minutes > 1)}"
    return f"{ceil(minutes / 60)} hours"
