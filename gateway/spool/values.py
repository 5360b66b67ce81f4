"""What the spool's verbs take and give: mail as it comes and as it stands, who acts, what became of it. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.spool.attendance import Absence
from gateway.spool.halt_contract import Freeze
from gateway.spool.knowledge import NOTHING_NOTED, Noted
from gateway.spool.lifecycle import Reason, State
from gateway.spool.second_look import Look, Said, Waiver
from gateway.values import dataclass


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

    def window_ends(self, index: int, now: datetime) -> datetime:
        """Return when the window of a recipient is over, as somebody may have shortened it, or made it longer since.

        A mail from the future came when the clock ran ahead: its window is as long as it was meant to be, from now.
        """
        if index in self.stays:
            return self.stays[index]
        if self.waiver is not None and index in self.waiver.ends:
            return self.waiver.ends[index]
        return min(self.received_at, now) + self.decision.of(index).demands.window


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
