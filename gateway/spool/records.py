"""Rows as the contract's values: messages with their recipients, and notices. Pure: no SQL, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.spool.lifecycle import State
from gateway.spool.mail_json import parsed
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.spool.second_look import FROZEN, SOMEBODY
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Recipient, Stored

UNREADABLE = Address("unreadable", "invalid")  # stands where a stored address cannot be read; RFC 2606 2
_OPEN_END = frozenset({to_us(SOMEBODY), to_us(FROZEN)})
_KINDS: dict[str, NoticeKind] = {kind.value: kind for kind in NoticeKind}
_NEVER = timedelta(days=36_500)


class MessageRow(NamedTuple):
    """The columns of `messages` that make a Stored, in the order they are selected."""

    queue_id: str
    received_at: int
    subject: str
    size_bytes: int
    envelope: str
    decision: str
    from_gateway: int


class RecipientRow(NamedTuple):
    """The columns of `recipients`, in the order they are selected."""

    queue_id: str
    idx: int
    state: State
    due_at: int | None
    queued_at: int | None
    changed_at: int
    attempts: int
    reply: str
    lease: str | None
    owner: str | None
    lease_until: int | None
    perhaps: int = 0

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> RecipientRow:
        return cls(row[0], row[1], State(row[2]), *row[3:])


def ranges_of(rows: Iterable[RecipientRow]) -> str:
    """Return which recipients these are, as an event says it."""
    return to_ranges(row.idx for row in rows)


def stored(row: MessageRow, rows: Iterable[RecipientRow]) -> Stored:
    """Put a message together; `recipients` are the given rows, the envelope is whole."""
    envelope, decision = parsed(row.envelope, row.decision)
    return _together(row, rows, envelope, decision)


def _together(
    row: MessageRow, rows: Iterable[RecipientRow], envelope: Envelope, decision: Decision
) -> Stored:
    return Stored(
        queue_id=row.queue_id,
        envelope=envelope,
        decision=decision,
        received_at=from_us(row.received_at),
        subject=row.subject,
        size_bytes=row.size_bytes,
        from_gateway=bool(row.from_gateway),
        recipients=tuple(_recipient(envelope, decision, r) for r in rows),
    )


def shown(row: MessageRow, rows: Sequence[RecipientRow]) -> Stored:
    """Return the message as `stored` does; with placeholders where it cannot be read, so that people see that it is there."""
    try:
        return stored(row, rows)
    except Exception:  # whatever a row holds: one mail must not hide all others
        return _placeholder(row, rows)


def _placeholder(row: MessageRow, rows: Sequence[RecipientRow]) -> Stored:
    count = max((r.idx for r in rows), default=-1) + 1
    envelope = Envelope(None, (UNREADABLE,) * count, Client("", "", ""))
    outcome = Outcome(external=True, demands=Demands(window=_NEVER, firm=_NEVER, form=Form.BCC))
    decision = Decision(digest="", outcomes=(outcome,), assigned=(0,) * count)
    return replace(_together(row, rows, envelope, decision), unreadable=True)


def notice(row: tuple[Any, ...]) -> Notice:
    """Return an outbox row as the contract's value."""
    notice_id, kind, queue_id, to_address, recipients, created_at, actor, hold_ends = row
    return Notice(
        notice_id=notice_id,
        kind=_KINDS.get(kind) or NoticeKind(kind),
        queue_id=queue_id,
        to=to_address,
        recipients=from_ranges(recipients),
        created_at=from_us(created_at),
        actor=actor,
        hold_ends=from_us(hold_ends),
    )


def _recipient(envelope: Envelope, decision: Decision, row: RecipientRow) -> Recipient:
    return Recipient(
        index=row.idx,
        address=envelope.recipients[row.idx],
        external=decision.of(row.idx).external,
        state=row.state,
        due_at=None if row.due_at in _OPEN_END else from_us(row.due_at),
        attempts=row.attempts,
        reply=row.reply,
        changed_at=from_us(row.changed_at),
        perhaps=bool(row.perhaps),
    )
