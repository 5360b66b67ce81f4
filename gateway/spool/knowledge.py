"""What the spool knows of earlier mail, for rules that ask: who wrote to whom, how much, and in answer to what.

A door of its own beside contract.py: nothing here moves mail, and mail moves without it. Reading goes by the readers and never
waits for a commit. Every verb raises StoreUnavailable; whoever gathers evidence takes that for doubt, not for a reason
to turn mail away (docs/decisions/0051-what-is-known-of-earlier-mail.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from gateway.message.evidence import Earlier, Halves, Volume
from gateway.values import dataclass

MAX_WRITERS = 50
"""Senders told for one recipient, the asking one first, then the latest; a recipient with so many may have more."""

SLICE = timedelta(minutes=5)
"""Volume is counted in slices: the last hour is the slice that is under way and the twelve before it."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What is noted of a mail when it is accepted. Whatever is empty is not noted: no rule asks for it.

    `counted_as` names whose volume it adds to. `message_id` and `named`, whom it shows beside its recipients, are keyed
    hashes: `Knowledge.note` makes them. `half` says what of a file and its password it holds (message/halves.py), and `pairs`
    are its sender with each external recipient, as `Knowledge.pairs` makes them.
    """

    counted_as: str = ""
    message_id: bytes = b""
    named: bytes = b""
    half: int = 0
    pairs: tuple[bytes, ...] = ()


NOTHING_NOTED = Noted()


@dataclass(frozen=True, slots=True)
class Writers:
    """By the key of a recipient, the keys of the senders from whom mail to it was delivered; without those it has none of.

    `complete` is False while older mail is still being looked through: then who is not in it may be.
    """

    by_recipient: Mapping[str, tuple[str, ...]]
    complete: bool = True


class Knowledge(Protocol):
    """What can be asked and what keeps it true."""

    async def note(self, counted_as: str, message_id: str, named: Collection[str]) -> Noted:
        """Return what an accepted mail is to carry; `named` are the keys of those it shows and of its authors."""

    async def pairs(self, sender: str, recipients: Collection[str]) -> tuple[bytes, ...]:
        """Return the keyed hashes of a sender with each of these recipients (keys)."""

    async def halves(self, sender: str, recipients: Collection[str], now: datetime) -> Halves | None:
        """Return how long ago this sender sent one of these recipients (keys) half of a file and its password.

        None where there are too many recipients to tell.
        """

    async def writers(self, sender: str, recipients: Collection[str]) -> Writers:
        """Return who wrote to these recipients (keys); `sender` (a key, or empty) is told wherever he did."""

    async def volume(self, counted_as: str, now: datetime) -> Volume:
        """Return what was accepted under this name in the last hour and the last day, each up to a slice more."""

    async def earlier(self, ids: Sequence[str], among: Collection[str]) -> Earlier | None:
        """Return which of `among` (keys) the mail named or went to that has the first of these Message-IDs to be known.

        None where no accepted mail has any of them.
        """

    async def domains(self, limit: int, known_at: datetime) -> frozenset[str]:
        """Return the domains to which mail had been delivered at that time, at most `limit`, the latest used first."""

    async def learn(self) -> int:
        """Take over a batch of what was delivered; return how many events were looked at: 0 when all is known.

        Any number of processes may do this at once: each event is taken over once.
        """

    async def forget(self, now: datetime, unused_for: timedelta, limit: int) -> int:
        """Delete up to `limit` rows of each kind that are not to be kept any longer; return how many were."""
