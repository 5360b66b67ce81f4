"""Files behind links, as other rooms see them: one share for each recipient, with its life, its code and what became of it.

Nothing here can be counted through: a share is reached by a signed link (gateway/links.py), an unknown one and one that is
over answer alike where a stranger asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.policy.protection import Way
from gateway.spool.contract import Actor, Change


@dataclass(frozen=True, slots=True)
class Share:
    """What waits for one recipient. `left` is how many fetches of each file are left, None without a limit.

    `files` are places and names. `opened_at` is when the recipient first proved the address, `fetched` counts by place.
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
        """Return a share that is open to its recipient; raises NoShare."""

    async def of(self, queue_id: str) -> Sequence[Share]:
        """Return all shares of a mail, for its sender."""

    async def ask_code(self, queue_id: str, recipient: int, now: datetime) -> None:
        """Make a one-time code and put the letter that carries it in the outbox; raises NoShare, also for too many."""

    async def enter(self, queue_id: str, recipient: int, code: str, key: str, now: datetime) -> bool:
        """Tell whether the code (and the key, where the share needs one) is right; counts the attempt. A code is good once."""

    async def fetch(self, queue_id: str, recipient: int, place: int, now: datetime) -> Share:
        """Count one fetch of a file and write it down; raises NoShare where none is left."""

    async def lock(
        self, queue_id: str, recipients: Sequence[int] | None, actor: Actor, now: datetime
    ) -> Change:
        """Close shares; nothing is lost."""

    async def unlock(
        self, queue_id: str, recipients: Sequence[int] | None, actor: Actor, now: datetime
    ) -> Change:
        """Open what was locked, and was not taken back."""

    async def extend(
        self, queue_id: str, recipients: Sequence[int] | None, until: datetime, actor: Actor, now: datetime
    ) -> Change:
        """Let shares live longer, within what the policy allows; never what is over."""
