"""The spool's door: every verb that changes the state of mail, and the values it takes and gives.

On return of a verb its effect, and the event that tells of it, are on disk. Every verb raises `StoreUnavailable` when it could
not be committed (then nothing of it happened); verbs on one message raise `UnknownMessage`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.spool.attendance import Absence
from gateway.spool.halt_contract import Freeze
from gateway.spool.knowledge import NOTHING_NOTED, Noted
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import Glance, Notice
from gateway.spool.second_look import Look, Said, Waiver
from gateway.store.errors import StoreDamaged as StoreDamaged
from gateway.store.errors import StoreUnavailable as StoreUnavailable

if TYPE_CHECKING:
    from gateway.spool.askings import AskedPage
    from gateway.spool.halt_contract import Halts
    from gateway.spool.key_contract import MailKeys
    from gateway.spool.list_contract import Lists, Scope
    from gateway.spool.share_contract import Shares


class UnknownMessage(Exception):
    """No message with this queue id."""


class BodyUnreadable(Exception):
    """The body is missing, was purged, or fails authentication; a damaged one is kept aside, never deleted."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, for the event log: kind is sender, approver, admin or system; name is an address, a login or empty."""

    kind: str
    name: str = ""


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A mail to accept. `raw` is stored as it is (docs/decisions/0001-the-message-is-bytes.md).

    `from_gateway` marks mail that Sekisho wrote itself: it triggers no notices and no DSN; `about` is the queue id it
    tells of. `facts` are what the decision was made from; they are recorded without content. `noted` is what later
    mail may be judged by. `groups` are those of the policy that its sender is in: they say who may see it.
    """

    envelope: Envelope
    raw: bytes
    decision: Decision
    received_at: datetime
    subject: str = ""
    from_gateway: bool = False
    about: str | None = None
    facts: Facts | None = None
    noted: Noted = NOTHING_NOTED
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient's row. `due_at` is when a hold ends or the next attempt is due; None in a final state, and where a hold
    waits for people (second_look.py), whatever the time.

    `perhaps`: an attempt ended without a word from the next hop about the whole message, so the mail may have arrived,
    whatever the state says since (docs/decisions/0031-at-least-once.md).
    """

    index: int
    address: Address
    external: bool
    state: State
    due_at: datetime | None
    attempts: int
    reply: str = ""
    changed_at: datetime | None = None
    perhaps: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the spool knows it, without its body.

    `unreadable`: the stored envelope or decision cannot be read, and placeholders stand for addresses and demands; states
    and times are true. To be shown and cancelled, never to be written to anybody. `looks` are what people have to do, `frozen`
    that somebody stopped the timer, `waiver` what the sender shortened meanwhile, and `stays` until when windows run that
    were made longer; none is there in a claim. `absences` are those of its approvers, where something waits for them; only
    `get` gives them.
    """

    queue_id: str
    envelope: Envelope
    decision: Decision
    received_at: datetime
    subject: str
    size_bytes: int
    from_gateway: bool
    recipients: tuple[Recipient, ...]
    unreadable: bool = False
    looks: tuple[Look, ...] = ()
    waiver: Waiver | None = None
    frozen: Freeze | None = None
    absences: tuple[Absence, ...] = ()
    stays: Mapping[int, datetime] = field(default_factory=dict)

    @property
    def language(self) -> Language:
        return self.decision.language

    @property
    def as_handed_in(self) -> Stored:
        """Return the message without the copies that a rule asked for (`bcc_to`): what its sender may be shown."""
        if not self.decision.copied:
            return self
        return replace(
            self, recipients=tuple([row for row in self.recipients if not self.decision.is_copy(row.index)])
        )


@dataclass(frozen=True, slots=True)
class Change:
    """The truth about a verb: recipients (indexes) that it changed, and those it came too late or not for.

    `not_done` tells each one's state. A recipient that a sender released but that stays held for the firm part of its window
    is not done: HELD, with its new `due_at` on disk. `perhaps` are those of `done` that were cancelled, but may have left
    in an earlier attempt.
    """

    done: tuple[int, ...]
    not_done: tuple[tuple[int, State], ...]
    perhaps: tuple[int, ...] = ()

    def without_copies(self, decision: Decision) -> Change:
        """Return the change of those that the sender knows of (`bcc_to` adds others)."""
        if not decision.copied:
            return self
        return Change(
            tuple([index for index in self.done if not decision.is_copy(index)]),
            tuple([each for each in self.not_done if not decision.is_copy(each[0])]),
            tuple([index for index in self.perhaps if not decision.is_copy(index)]),
        )


@dataclass(frozen=True, slots=True)
class Consented:
    """What became of an approver's word.

    `change` tells whom nobody is waited for any more (of a rejection: who is cancelled), and who still waits; `missing` is how
    many more approvals are needed.
    """

    said: Said
    change: Change
    missing: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Recipients of one message, leased to this process: the attempt is on disk before the caller connects anywhere.

    `message.recipients` holds only the leased ones; a result recorded after the lease changes nothing.
    Its own process measures it by a clock that does not step; `lease_until` is what the wall clock showed for its end.
    """

    message: Stored
    lease: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one leased recipient: DELIVERED, DEFERRED (with `retry_at`) or BOUNCED.

    `tell_relayed`: the sender asked to hear of success, and nobody after us will tell (RFC 3461 5.2.2).
    `tls`: how the connection to the next hop was secured. `attempted`: false for a deferral that was no attempt, because
    nobody was asked; it is not counted as one.
    """

    index: int
    state: State
    reason: Reason
    reply: str = ""
    enhanced: str = ""
    next_hop: str = ""
    retry_at: datetime | None = None
    tell_relayed: bool = False
    tls: str = ""
    attempted: bool = True


@dataclass(frozen=True, slots=True)
class Figures:
    """The spool at one moment, for metrics and readiness."""

    by_state: dict[State, int]
    oldest_due: datetime | None
    pending_notices: int


class AbsentPeople(Protocol):
    """`spool.absences`: when approvers are away, by their keys."""

    async def of(self, people: Collection[str], now: datetime) -> Sequence[Absence]:
        """Return all absences of these people that are not over, by person and in order."""

    async def say(self, absence: Absence, actor: Actor, now: datetime) -> None:
        """Keep that somebody is away; raises ValueError (order, past, long, far) and TooManyAbsences."""

    async def take_back(self, person: str, since: datetime, actor: Actor, now: datetime) -> bool:
        """Forget an absence; tell whether there was one."""


class Askings(Protocol):
    """`spool.askings`: mails that wait for somebody's approval."""

    async def page(self, asked: Scope, after: str = "", limit: int = 50) -> AskedPage:
        """Return a page, by what happens next to each; raises ValueError for an `after` that is none of ours."""


class Spool(Protocol):
    """The only door to state. All verbs are coroutines; none holds the event loop while it commits."""

    @property
    def keys(self) -> MailKeys:
        """Return the keys of mails' attachments, and how they travel."""

    @property
    def shares(self) -> Shares:
        """Return the door to files behind links."""

    @property
    def absences(self) -> AbsentPeople:
        """Return when approvers are away."""

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

    async def expire(self, now: datetime, older_than: timedelta, limit: int) -> int:
        """Bounce up to `limit` deferred recipients of messages older than the delivery period."""

    async def delay_notices(self, now: datetime, older_than: timedelta, limit: int) -> int:
        """Put a DELAYED notice in the outbox, once per message, for recipients still deferred after `older_than`."""

    async def recover(self, now: datetime) -> int:
        """Give back leases that ran out or belonged to a dead process (ACTIVE -> DEFERRED, due now); return how many.

        What was leased may have left: those recipients are marked `perhaps`.
        """

    async def purge(
        self, now: datetime, bodies_after: timedelta, records_after: timedelta, limit: int
    ) -> int:
        """Destroy bodies (by their key) and later the records of finished messages; return how many were touched."""

    async def pending_notices(self, limit: int, after: int = 0) -> Sequence[Notice]:
        """Return outbox rows with ids above `after`, oldest first.

        A new row's id is above those of the rows that are there; the id of a row that is gone may come again.
        """

    async def finish_notices(self, notices: Sequence[Notice], mail: NewMessage | None) -> str | None:
        """Accept the mail that tells of all these and delete their outbox rows in one transaction; None drops them.

        Return the new queue id; None where they were dropped, or where one of them is in the outbox no more: then nothing
        of it happened, because somebody else has told, or will tell, of them.
        """

    async def get(self, queue_id: str) -> Stored:
        """Return one message with all its recipients."""

    async def glances(self, queue_ids: Sequence[str]) -> list[Glance | None]:
        """Return what a letter of many tells of each message, in order; None for one that is not there."""

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
