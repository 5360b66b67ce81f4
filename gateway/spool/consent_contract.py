"""`spool.consents` and `spool.absences`: what people say of a mail that waits for them, and when they are not there to say it.

Nothing waits for ever: when nobody says anything, time does what the rule says (docs/decisions/0053-second-look.md).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from gateway.spool.attendance import Absence

if TYPE_CHECKING:
    from gateway.spool.values import Actor, Change, Consented


class Consents(Protocol):
    """Every verb raises StoreUnavailable; those on one message UnknownMessage."""

    async def confirm(
        self, queue_id: str, recipients: Collection[int], attachments: bool, actor: Actor, now: datetime
    ) -> Change:
        """Tick recipients, and, with `attachments`, all attachments. `not_done` are those who still wait for a tick."""

    async def approve(
        self, queue_id: str, approval: int | None, person: str, actor: Actor, comment: str, now: datetime
    ) -> Consented:
        """Count the word of `person` (a key) for one approval, or for all that ask this person; each counts once."""

    async def reject(
        self, queue_id: str, approval: int | None, person: str, actor: Actor, comment: str, now: datetime
    ) -> Consented:
        """Cancel what waits for the approval of `person`, and tell the sender."""

    async def stop_by_colleague(self, queue_id: str, recipient: int, because: str, now: datetime) -> Change:
        """Cancel everybody outside who can still be, as recipient number `recipient`, who got a link for that
        (policy/colleagues.py); tell the sender who did it and why. UnknownMessage for anybody else."""

    async def pass_deadlines(self, now: datetime, limit: int) -> int:
        """Remind, escalate or time out where people were waited for long enough, on up to `limit` messages each; return on
        how many."""


class AbsentPeople(Protocol):
    """`spool.absences`: when approvers are away, by their keys."""

    async def of(self, people: Collection[str], now: datetime) -> Sequence[Absence]:
        """Return all absences of these people that are not over, by person and in order."""

    async def say(self, absence: Absence, actor: Actor, now: datetime) -> None:
        """Keep that somebody is away; raises ValueError (order, past, long, far) and TooManyAbsences."""

    async def take_back(self, person: str, since: datetime, actor: Actor, now: datetime) -> bool:
        """Forget an absence; tell whether there was one."""
