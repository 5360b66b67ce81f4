"""Mail as the API tells of it: numbers of recipients are those of the envelope, times UTC, states those of the lifecycle.

Pure: from what the spool and gateway/acting give to shapes.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from gateway.acting.acting import Seen
from gateway.people.sight import Act
from gateway.policy.demands import Approval, Confirmation
from gateway.spool.lifecycle import State
from gateway.spool.list_contract import HeldLine, Waits
from gateway.spool.second_look import Look, Said
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Change, Consented, Stored


class HeldTold(BaseModel):
    """One held mail in a list. `due_at` is when the first recipient leaves by time; null where all wait for people."""

    queue_id: str
    received_at: datetime
    sender: str
    subject: str
    groups: list[str]
    held: int
    recipients: int
    outside: int
    due_at: datetime | None
    waits: list[Waits]
    rules: list[str]


class RecipientTold(BaseModel):
    """One recipient. `perhaps`: an attempt ended without a word, so that the mail may have arrived whatever the state says."""

    number: int
    address: str
    external: bool
    state: State
    due_at: datetime | None
    changed_at: datetime | None
    attempts: int
    reply: str
    perhaps: bool
    rules: list[str]


class LookTold(BaseModel):
    """What people have to do: `kind` is `approval`, `confirmation` or `key-way`; `missing` is how many approvals still are."""

    number: int
    kind: str
    rule: str
    recipients: list[int]
    due_at: datetime | None
    deadline: datetime
    met: bool
    missing: int
    approvers: list[str]
    approved_by: list[str]


class MailTold(BaseModel):
    """One mail, without its text. `acts` are what this token's person may do with it."""

    queue_id: str
    received_at: datetime
    sender: str
    subject: str
    octets: int
    groups: list[str]
    recipients: list[RecipientTold]
    looks: list[LookTold]
    acts: list[Act]


class NotDone(BaseModel):
    """A recipient that the verb came too late for, or was not for, and its state."""

    recipient: int
    state: State


class ChangeTold(BaseModel):
    """The truth about a verb. `perhaps` are those of `done` that were cancelled but may have left in an earlier attempt."""

    done: list[int]
    not_done: list[NotDone]
    perhaps: list[int]


class ConsentTold(ChangeTold):
    """What became of an approver's word; `missing` is how many more approvals are needed."""

    said: Said
    missing: int


class Opened(BaseModel):
    recipient: int
    at: datetime


class TakenBackTold(BaseModel):
    """What taking back did, by recipient.

    `stopped` never leaves; `locked` has a link that nobody opened and nobody can open now; `opened` opened it before;
    `unkeyed` has files whose key is never sent; `gone` has it all.
    """

    stopped: list[int]
    locked: list[int]
    opened: list[Opened]
    unkeyed: list[int]
    gone: list[int]
    at: datetime


def held_told(line: HeldLine) -> HeldTold:
    return HeldTold(
        queue_id=line.queue_id,
        received_at=line.received_at,
        sender=line.sender,
        subject=line.subject,
        groups=list(line.groups),
        held=line.held,
        recipients=line.total,
        outside=line.outside,
        due_at=line.due_at,
        waits=sorted(line.waits),
        rules=list(line.rules),
    )


def mail_told(seen: Seen) -> MailTold:
    message = seen.message
    return MailTold(
        queue_id=message.queue_id,
        received_at=message.received_at,
        sender=str(message.envelope.sender or ""),
        subject=message.subject,
        octets=message.size_bytes,
        groups=sorted(seen.whose.groups),
        recipients=_recipients(message),
        looks=[_look(look, message) for look in message.looks],
        acts=sorted(seen.acts),
    )


def _recipients(message: Stored) -> list[RecipientTold]:
    return [
        RecipientTold(
            number=row.index,
            address=str(row.address),
            external=row.external,
            state=row.state,
            due_at=row.due_at,
            changed_at=row.changed_at,
            attempts=row.attempts,
            reply=row.reply,
            perhaps=row.perhaps,
            rules=list(message.decision.of(row.index).rules),
        )
        for row in message.recipients
    ]


def _look(look: Look, message: Stored) -> LookTold:
    known = {row.index for row in message.recipients}
    return LookTold(
        number=look.number,
        kind=_kind(look),
        rule=look.demand.rule,
        recipients=[index for index in look.shown if index in known],
        due_at=look.due_at,
        deadline=look.deadline,
        met=look.met_at is not None,
        missing=look.missing,
        approvers=sorted({each.address for each in look.approvers()}),
        approved_by=[consent.person for consent in look.consents],
    )


def _kind(look: Look) -> str:
    if isinstance(look.demand, Approval):
        return "approval"
    return "confirmation" if isinstance(look.demand, Confirmation) else "key-way"


def change_told(change: Change) -> ChangeTold:
    return ChangeTold(
        done=list(change.done),
        not_done=[NotDone(recipient=index, state=state) for index, state in change.not_done],
        perhaps=list(change.perhaps),
    )


def consent_told(answer: Consented) -> ConsentTold:
    told = change_told(answer.change)
    return ConsentTold(**dict(told), said=answer.said, missing=answer.missing)


def taken_told(taken: TakenBack) -> TakenBackTold:
    return TakenBackTold(
        stopped=list(taken.stopped),
        locked=list(taken.locked),
        opened=[Opened(recipient=index, at=at) for index, at in taken.opened],
        unkeyed=list(taken.unkeyed),
        gone=list(taken.gone),
        at=taken.at,
    )
