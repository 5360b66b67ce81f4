"""The keys of mails, as other rooms see them: made with the acceptance, kept wrapped, shown and sent, deleted on time.

A key is never in an event, a log, a metric or an exception. On return of a verb its effect and its event are on disk.
`number` of a key: 0 is the mail's, n + 1 that of envelope recipient n.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway.policy.protection import Way
from gateway.spool.lifecycle import Reason
from gateway.spool.values import Actor, Change
from gateway.values import dataclass

SECOND_MAIL = "mail:"  # begins the receipt of a key that went in a mail of our own, before its queue id


class Stage(StrEnum):
    """How far a key is on its way to one recipient."""

    WAITING = "waiting"  # the mail has not left
    READY = "ready"  # the mail has left; the key may go, not before its time
    SENDING = "sending"  # leased: the attempt is on disk
    SENT = "sent"  # handed over to who carries it
    ARRIVED = "arrived"  # a receipt says so, or the recipient has seen it
    FAILED = "failed"  # given up
    STOPPED = "stopped"  # the mail was cancelled or taken back before the key went


@dataclass(frozen=True, slots=True)
class SealKey:
    """The key that a recipient's copy is sealed with; equal `key_id` is the same key."""

    key_id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key as the sender sees it: for whom, and until when it is kept."""

    recipients: tuple[int, ...]
    way: Way
    expires_at: datetime
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySending:
    """A key to be sent now, leased. `to` is where: of SECOND_MAIL an address, of SMS the telephone number (E.164) that the
    sender typed, empty where the directory has it. `said` is another word each time the sender says the way, empty before:
    what was said anew is another message to a carrier that sends each once."""

    queue_id: str
    recipient: int
    way: Way
    attempts: int
    lease: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    said: str = ""


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """How a key's way stands, for the page and for evidence. `to` is shortened: the last digits of a number."""

    recipient: int
    way: Way | None
    stage: Stage
    changed_at: datetime
    attempts: int = 0
    to: str = ""
    detail: str = ""


class NoKey(Exception):
    """There is no key (any more), or this person may not see it; `why` is one of these.

    expired: it was deleted at its time and never comes again. none: nobody has said how it gets there, or a key that was
    agreed on was removed; one may come yet. not-theirs: it is shown to somebody else.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class MailKeys(Protocol):
    """`spool.keys`. Every verb raises StoreUnavailable; those on one message UnknownMessage."""

    async def to_seal(self, queue_id: str, recipients: Collection[int]) -> Mapping[int, SealKey]:
        """Return the key of each recipient's copy; raises NoKey where one is gone."""

    async def show(self, queue_id: str, actor: Actor, now: datetime) -> Sequence[ShownKey]:
        """Return the keys that the sender tells, and write that they were shown; raises NoKey."""

    async def supply(
        self, queue_id: str, recipients: Collection[int], way: Way, to: str, actor: Actor, now: datetime
    ) -> Change:
        """Say how the key gets to recipients who wait for a way, or whom it did not reach.

        `to` is a number (E.164) for SMS, or empty where the directory has it; ValueError on anything else. `done` are those
        who wait for it no longer; a way that the rules do not allow is nobody's, nor one agreed on with nobody.
        """

    async def stop(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        """Never send the keys of these recipients (None: all). What is under way or was handed over is not done."""

    async def agreed(self, addresses: Collection[str]) -> frozenset[str]:
        """Return those of these addresses (keys) that have a key agreed on before, of their own or of their domain."""

    async def due_sendings(
        self, now: datetime, limit: int, lease: timedelta, way: Way | None = None
    ) -> Sequence[KeySending]:
        """Lease keys whose mail has left and whose time has come, the attempt on disk; of one way (None: of all)."""

    async def mailed(self, limit: int) -> Sequence[str]:
        """Return the receipts of second mails of which nobody has said yet what became of them."""

    async def sent(self, sending: KeySending, receipt: str, now: datetime) -> None:
        """Write that a key was handed over; `receipt` is the carrier's name for it."""

    async def not_sent(
        self, sending: KeySending, detail: str, retry_at: datetime | None, now: datetime
    ) -> None:
        """Write that it was not: to be tried again at that time, or given up (None), of which the sender is told."""

    async def receipted(self, receipt: str, arrived: bool, detail: str, now: datetime) -> bool:
        """Write what the carrier said later; False where nobody knows that receipt."""

    async def statuses(self, queue_id: str, recipients: Collection[int] | None = None) -> Sequence[KeyStatus]:
        """Return how each recipient's key stands; of these recipients, or of all."""
