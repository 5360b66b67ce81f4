"""Lists of mail, as other rooms ask for them: whose mail, which of it, in what order, a page at a time.

`Scope` is what somebody may see at all; whoever knows the person (gateway/people/sight.py) gives it, and it is never optional.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.message.facts import Facts
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose one mail is, as far as access asks: keys of its senders (envelope, From), groups, and who may approve it."""

    senders: frozenset[str]
    login: str = ""
    groups: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of mails: sent by one of these addresses or accounts, from one of these groups, or asking one of these people."""

    everything: bool = False
    addresses: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            self.everything or other.everything,
            self.addresses | other.addresses,
            self.logins | other.logins,
            self.groups | other.groups,
            self.asked | other.asked,
        )

    def holds(self, whose: Whose) -> bool:
        """Tell whether that mail is in the set."""
        return self.everything or bool(
            self.addresses & whose.senders
            or (whose.login and whose.login.casefold() in self.logins)
            or self.groups & whose.groups
            or self.asked & whose.asked
        )


class Waits(StrEnum):
    """What a held mail waits for."""

    TIME = "time"
    CONFIRMATION = "confirmation"
    APPROVAL = "approval"
    KEY_WAY = "key-way"
    FROZEN = "frozen"


class Order(StrEnum):
    RECEIVED = "received"
    DUE = "due"
    SENDER = "sender"


@dataclass(frozen=True, slots=True)
class HeldQuestion:
    """Which held mails; everything given must hold. `words`, each of them, are looked for in the subject and in all addresses,
    `sender` and `recipient` in those addresses: parts of them, whatever the case and the width of letters.

    `within` is a second scope that must hold, too, and a mail that waits for one of `without` is left out: what somebody may
    see, and can do something with. `after` is where the page before ended, as `HeldPage.after` gave it. `limit` is at most
    MAX_PAGE.
    """

    scope: Scope
    words: str = ""
    sender: str = ""
    recipient: str = ""
    group: str = ""
    rule: str = ""
    waits: Waits | None = None
    since: datetime | None = None
    until: datetime | None = None
    order: Order = Order.RECEIVED
    descending: bool = True
    after: str = ""
    limit: int = 50
    within: Scope | None = None
    without: frozenset[Waits] = frozenset()


MAX_PAGE = 200  # lines: what a phone can show and a person can check


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One mail in a list. `due_at` is when the first held recipient leaves by time; None where all wait for people."""

    queue_id: str
    received_at: datetime
    sender: str
    subject: str
    groups: tuple[str, ...]
    held: int
    total: int
    outside: int
    due_at: datetime | None
    waits: frozenset[Waits] = field(default_factory=frozenset)
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldPage:
    """`after` leads to the next page, empty on the last; `found` counts all, `at_least` where counting stopped early."""

    lines: tuple[HeldLine, ...]
    after: str
    found: int
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """How many mails a question finds, and how many held recipients they have."""

    mails: int
    recipients: int


class Lists(Protocol):
    """`spool.lists`: what is held, for people; it changes no mail."""

    async def held(self, question: HeldQuestion) -> HeldPage:
        """Return one page of held mails; raises ValueError for an `after` that is none of ours."""

    async def counted(self, question: HeldQuestion) -> Counted:
        """Return how much all pages of a question hold together; nothing stops it early."""

    async def line(self, queue_id: str) -> HeldLine | None:
        """Return the line of one mail; None where nothing of it is held."""

    async def whose(self, queue_id: str) -> Whose:
        """Return whose a mail is, held or not; raises UnknownMessage."""

    async def facts(self, queue_id: str) -> Facts | None:
        """Return what a mail was judged by, without content; None where nobody recorded it. Raises UnknownMessage."""

    async def catch_up(self, limit: int) -> int:
        """Make up to `limit` lines anew that are out of date; return how many. Reading does so first, for some of them."""

    async def look_over(self, limit: int) -> int:
        """Note up to `limit` mails that a gateway of the version before held or let go, for `catch_up`; return how many."""
