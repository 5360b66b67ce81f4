"""Files behind links, as other rooms see them: one share for each recipient, with its life, its code and what became of it.

Nothing here can be counted through: a share is reached by a signed link (gateway/links.py), an unknown one and one that is
over answer alike where a stranger asks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from gateway.policy.handling import Attached
from gateway.policy.protection import Way
from gateway.spool.lifecycle import Kind
from gateway.spool.notice import Notice
from gateway.spool.values import Actor, Change
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """What waits for one recipient. `left` is how many fetches of each file are left, None without a limit.

    `files` are places and names, `attached` what else is known of them. `opened_at` is when the recipient first proved the
    address, `fetched` counts by place. No share lives beyond `extendable_until`.
    """

    queue_id: str
    recipient: int
    files: tuple[tuple[int, str], ...]
    expires_at: datetime
    needs_key: bool
    way: Way | None
    locked_at: datetime | None = None
    opened_at: datetime | None = None
    left: tuple[tuple[int, int | None], ...] = ()
    fetched: tuple[tuple[int, int], ...] = ()
    ended_at: datetime | None = None
    extendable_until: datetime | None = None
    sender: str = ""
    sent_at: datetime | None = None
    attached: tuple[Attached, ...] = ()

    @property
    def used_up(self) -> bool:
        """Tell whether no file can be fetched any more."""
        return all(count == 0 for _, count in self.left)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sits at a download page: an address of the network, and a random name for this visit that the page gave."""

    client: str
    visit: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event about shares. `place` and `name` are those of a file that was fetched; `client` is from where."""

    at: datetime
    kind: Kind
    recipients: tuple[int, ...]
    actor: Actor
    client: str = ""
    place: int | None = None
    name: str = ""


class NoShare(Exception):
    """There is no such share, or not any more; `why` is for the log and for the sender, never for a stranger."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The truth about a mail that was taken back, by recipient.

    `stopped` never leaves. `locked` had left with a link that nobody opened, and nobody can open now. `opened` had been opened
    before, at that time. `unkeyed` has an attachment whose key was never sent and never will be. `gone` has it all.
    """

    stopped: tuple[int, ...]
    locked: tuple[int, ...]
    opened: tuple[tuple[int, datetime], ...]
    unkeyed: tuple[int, ...]
    gone: tuple[int, ...]
    at: datetime


class Shares(Protocol):
    """`spool.shares`. Every verb raises StoreUnavailable."""

    async def get(self, queue_id: str, recipient: int, now: datetime) -> Share:
        """Return a share that is open to its recipient, also where no fetch is left; raises NoShare."""

    async def of(self, queue_id: str) -> Sequence[Share]:
        """Return all shares of a mail, for its sender."""

    async def history(self, queue_id: str) -> Sequence[Happened]:
        """Return what happened to the shares of a mail, oldest first, out of the event log."""

    async def ask_code(self, queue_id: str, recipient: int, visitor: Visitor, now: datetime) -> None:
        """Make a one-time code and put the letter that carries it in the outbox; raises NoShare, also for too many."""

    async def enter(
        self, queue_id: str, recipient: int, code: str, key: str, visitor: Visitor, now: datetime
    ) -> bool:
        """Tell whether the code (and the key, where the share needs one) is right; counts the attempt. A code is good once.

        Where it is, `visitor.visit` may fetch. Raises NoShare.
        """

    async def visits(self, queue_id: str, recipient: int, visitor: Visitor) -> bool:
        """Tell whether this visit proved the address."""

    async def fetch(
        self,
        queue_id: str,
        recipient: int,
        place: int,
        visitor: Visitor,
        now: datetime,
        *,
        onward: bool = False,
    ) -> Share:
        """Count one fetch of a file and write it down; raises NoShare where none is left, or the visit may not.

        `onward`: it goes on with what this visit began, which counts once.
        """

    async def lock(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, now: datetime
    ) -> Change:
        """Close shares; nothing is lost. `not_done` tells the state of the mail of those that are closed or over already."""

    async def unlock(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, now: datetime
    ) -> Change:
        """Open what was locked, and was not taken back."""

    async def extend(
        self, queue_id: str, recipients: Collection[int] | None, until: datetime, actor: Actor, now: datetime
    ) -> Change:
        """Let shares live longer, at most as long again as the rule gave, and LONGEST in all; never what is over."""

    async def take_back(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, now: datetime
    ) -> TakenBack:
        """Cancel who has not got the mail yet, end the shares and stop the keys of the others, and say what that means.

        One transaction. Raises UnknownMessage.
        """

    async def end_expired(self, now: datetime, limit: int) -> int:
        """End up to `limit` shares whose time is over; return how many."""

    def code_of(self, notice: Notice) -> str | None:
        """Return the code that a notice of the kind CODE is to tell; None where its master key is not held any more."""
