"""The spool's door: every verb that changes the state of mail. What the verbs take and give stands in values.py.

On return of a verb its effect, and the event that tells of it, are on disk. Every verb raises `StoreUnavailable` when it could
not be committed (then nothing of it happened); verbs on one message raise `UnknownMessage`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.spool.lifecycle import Reason
from gateway.spool.notice import Glance, Notice
from gateway.spool.values import Actor, Change, Claim, Figures, NewMessage, Result, Stored
from gateway.store.errors import StoreDamaged as StoreDamaged
from gateway.store.errors import StoreUnavailable as StoreUnavailable

if TYPE_CHECKING:
    from gateway.spool.askings import AskedPage
    from gateway.spool.consent_contract import AbsentPeople, Consents
    from gateway.spool.destroying import Destroyed
    from gateway.spool.halt_contract import Halts
    from gateway.spool.key_contract import MailKeys
    from gateway.spool.list_contract import Lists, Scope
    from gateway.spool.share_contract import Shares


T = TypeVar("T")


class UnknownMessage(Exception):
    """No message with this queue id."""


def known(found: T | None, queue_id: str) -> T:
    """Return what was found of a message; raises UnknownMessage where that is nothing."""
    if found is None:
        raise UnknownMessage(f"no message {queue_id}")
    return found


class BodyUnreadable(Exception):
    """The body is missing, was purged, or fails authentication; a damaged one is kept aside, never deleted."""


class Askings(Protocol):
    """`spool.askings`: mails that wait for somebody's approval."""

    async def page(self, asked: Scope, after: str = "", limit: int = 50) -> AskedPage:
        """Return a page, by what happens next to each; raises ValueError for an `after` that is none of ours."""


class Notices(Protocol):
    """`spool.notices`: the outbox, and what a letter tells of the mail that it is about."""

    async def pending(self, limit: int, after: int = 0) -> Sequence[Notice]:
        """Return outbox rows with ids above `after`, oldest first.

        A new row's id is above those of the rows that are there; the id of a row that is gone may come again.
        """

    async def finish(self, notices: Sequence[Notice], mail: NewMessage | None) -> str | None:
        """Accept the mail that tells of all these and delete their outbox rows in one transaction; None drops them.

        Return the new queue id; None where they were dropped, or where one of them is in the outbox no more: then nothing
        of it happened, because somebody else has told, or will tell, of them.
        """

    async def glances(self, queue_ids: Sequence[str]) -> list[Glance | None]:
        """Return what a letter of many tells of each message, in order; None for one that is not there."""

    async def incident_of(self, queue_id: str) -> datetime | None:
        """Return when an incident was opened about a mail; None where none was."""


class Ageing(Protocol):
    """`spool.ageing`: what time does to mail that did not leave, and to mail that is finished."""

    async def expire(self, now: datetime, older_than: timedelta, limit: int) -> int:
        """Bounce up to `limit` deferred recipients of messages older than the delivery period."""

    async def delay_notices(self, now: datetime, older_than: timedelta, limit: int) -> int:
        """Put a DELAYED notice in the outbox, once per message, for recipients still deferred after `older_than`."""

    async def purge(
        self, now: datetime, bodies_after: timedelta, records_after: timedelta, limit: int
    ) -> int:
        """Destroy bodies (by their key) and later the records of finished messages; return how many were touched."""

    async def destroy_body(self, queue_id: str, because: str, actor: Actor, now: datetime) -> Destroyed:
        """Destroy the body of a finished mail before its time."""


class Spool(Protocol):
    """The only door to state. All verbs are coroutines; none holds the event loop while it commits."""

    @property
    def keys(self) -> MailKeys:
        """Return the keys of mails' attachments, and how they travel."""

    @property
    def shares(self) -> Shares:
        """Return the door to files behind links."""

    @property
    def consents(self) -> Consents:
        """Return what people say of a mail that waits for them."""

    @property
    def absences(self) -> AbsentPeople:
        """Return when approvers are away."""

    @property
    def notices(self) -> Notices:
        """Return what waits to be told."""

    @property
    def ageing(self) -> Ageing:
        """Return what becomes of mail as time passes."""

    @property
    def halts(self) -> Halts:
        """Return the verbs that stop the timer of a mail, let it wait longer, and correct a recipient."""

    @property
    def askings(self) -> Askings:
        """Return what waits for somebody's approval."""

    @property
    def lists(self) -> Lists:
        """Return lists of held mail, and whose a mail is."""

    async def accept(self, message: NewMessage) -> str:
        """Store the mail, its recipients (held or queued by the decision), its event and its notices; return the queue id."""

    async def accept_and_claim(self, message: NewMessage, lease: timedelta) -> tuple[str, Claim | None]:
        """Store the mail as `accept` does, and lease what nothing holds in the same transaction, attempt and all.

        Return the queue id and the claim; None where every recipient is held.
        """

    async def refused(
        self, envelope: Envelope, decision: Decision, subject: str, at: datetime, groups: Sequence[str] = ()
    ) -> None:
        """Write the event of a refused mail; nothing of the mail itself is kept. `groups` are those of its sender."""

    async def cancel(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        """Cancel the given recipients (None: all) by compare-and-set. What is ACTIVE or final is told, not touched.

        `Change.perhaps` names those that will not be tried again, but may have arrived before.
        """

    async def release(
        self,
        queue_id: str,
        recipients: Collection[int] | None,
        actor: Actor,
        reason: Reason,
        now: datetime,
        because: str = "",
    ) -> Change:
        """Let held recipients go now. By the sender or a colleague (lifecycle.OF_THE_SENDER) the firm part stays: due_at moves
        to its end.

        A part that may be waived for a reason is firm unless `because` gives one. Who waits for people stays held.
        """

    async def release_due(self, now: datetime, limit: int) -> int:
        """Queue up to `limit` held recipients whose time has come; return how many."""

    async def claim(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
        share: int | None = None,
        crowded: Collection[str] = (),
    ) -> Sequence[Claim]:
        """Lease up to `limit` queued or deferred recipients that are due, oldest first, and record the attempt.

        One message gets `share` of them at most (None: all), one whose queue id is in `crowded` none: a
        mail to thousands must not keep all others waiting.
        """

    async def record(self, claim: Claim, results: Sequence[Result], now: datetime) -> Change:
        """Record what became of leased recipients; a bounce, or a success to tell, queues its DSN in the same transaction."""

    def still_ours(self, claim: Claim) -> bool:
        """Tell, at once and from memory, whether a claim is still leased to this process and to nobody else."""

    async def recover(self, now: datetime) -> int:
        """Give back leases that ran out or belonged to a dead process (ACTIVE -> DEFERRED, due now); return how many.

        What was leased may have left: those recipients are marked `perhaps`.
        """

    async def get(self, queue_id: str) -> Stored:
        """Return one message with all its recipients."""

    async def body_opened(
        self, queue_id: str, actor: Actor, reason: Reason, because: str, now: datetime
    ) -> None:
        """Write that somebody opens the body, and why: before they see it. Raises UnknownMessage."""

    async def raw(self, queue_id: str) -> bytes:
        """Return the original octets; raises BodyUnreadable."""

    async def held(self, limit: int, before: str | None = None) -> Sequence[Stored]:
        """Return messages with at least one held recipient, newest first, older than queue id `before`."""

    async def next_due(self) -> datetime | None:
        """Return the earliest time at which release_due or claim would find work; None when there is none."""

    async def figures(self) -> Figures:
        """Return counts by state, the oldest due time of what should already be moving, and waiting notices."""
