"""Messages as rows and rows as messages. Pure: no SQL, no clock.

The envelope is stored as one JSON value with all recipients and their classes of the decision, because every claim needs
all of it; a recipient's own row holds only what changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import orjson

from gateway.message import recorded_facts
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.status_request import NOTHING_SAID, MailRequest, Notify, RecipientRequest, Return
from gateway.policy import stored_decision
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.ranges import from_ranges
from gateway.spool.recent import Recent
from gateway.spool.second_look import FROZEN, SOMEBODY
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Recipient, Stored

PARSED = 128  # envelopes, and as many decisions, kept parsed
# Characters of their JSON in all, for each of the two: parsed, about eight times that in memory.
PARSED_CHARACTERS = 4 << 20
MAX_RECORD = 1 << 20  # characters of recorded facts: a mail made of a million names must not double its row
UNREADABLE = Address("unreadable", "invalid")  # stands where a stored address cannot be read; RFC 2606 2
_OPEN_END = frozenset({to_us(SOMEBODY), to_us(FROZEN)})
_KINDS: dict[str, NoticeKind] = {kind.value: kind for kind in NoticeKind}
_NEVER = timedelta(days=36_500)
_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)


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


def envelope_json(envelope: Envelope, assigned: tuple[int, ...]) -> str:
    """Return the stored form of an envelope.

    Version 2 adds what the sender asked about notifications; an envelope without that is still written as version 1, which
    a node of the release before can read.
    """
    client = envelope.client
    asked = _asked_json(envelope)
    return _json(
        {
            "v": 2 if asked else 1,
            "sender": _address_json(envelope.sender) if envelope.sender else None,
            "recipients": [_address_json(address) for address in envelope.recipients],
            "assigned": assigned,
            "client": [client.ip, client.helo, client.account, client.tls],
            "smtputf8": envelope.smtputf8,
            "body_8bit": envelope.body_8bit,
        }
        | asked
    )


def decision_json(decision: Decision) -> str:
    return _json(stored_decision.to_json(decision))


def facts_json(facts: Facts) -> str | None:
    """Return the stored form of what the decision was made from; None where that would be too much."""
    record = _json(recorded_facts.to_json(facts))
    return record if len(record) <= MAX_RECORD else None


def facts_of(record: str, envelope: Envelope, subject: str, size_bytes: int) -> Facts:
    """Read stored facts; raises ValueError on a version this code does not know."""
    return recorded_facts.from_json(_loaded(record), envelope, subject, size_bytes)


def _json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate in an odd address: escaped, the database takes it
        return _JSON.encode(value)


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


def parsed(envelope: str, decision: str) -> tuple[Envelope, Decision]:
    """Read the stored forms; raises ValueError on a version this code does not know."""
    read, assigned = _envelope(envelope)
    return read, replace(_decision(decision), assigned=assigned)


def recipient_keys(envelope: str) -> frozenset[str]:
    """Return the keys of a stored envelope's recipients; none where it cannot be read."""
    try:
        return frozenset(address.key for address in _envelope(envelope)[0].recipients)
    except (ValueError, TypeError, KeyError, IndexError):
        return frozenset()


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


def _loaded(text: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:  # a lone surrogate in an odd address, which `_json` escaped
        loaded = json.loads(text)
    return loaded


def envelope_data(text: str) -> dict[str, Any]:
    """Return a stored envelope as the JSON it is; raises ValueError on a version this code does not know."""
    data = _loaded(text)
    if data.get("v") not in (1, 2):
        raise ValueError(f"stored envelope has version {data.get('v')!r}, known are 1 and 2")
    return data


def decision_of(text: str) -> Decision:
    """Read a stored decision as it is, without the recipients' classes; raises ValueError as `parsed` does."""
    return _decision(text)


def _read_envelope(text: str) -> tuple[Envelope, tuple[int, ...]]:
    data = envelope_data(text)
    returned, envid = data.get("asked", (None, ""))
    envelope = Envelope(
        sender=Address(*data["sender"]) if data["sender"] else None,
        recipients=tuple(Address(*parts) for parts in data["recipients"]),
        client=Client(*data["client"]),
        smtputf8=data["smtputf8"],
        body_8bit=data["body_8bit"],
        asked=MailRequest(Return(returned) if returned else None, envid),
        requests=tuple(_read_request(*parts) for parts in data.get("requests", ())),
    )
    return envelope, tuple(data["assigned"])


def _asked_json(envelope: Envelope) -> dict[str, object]:
    if envelope.asked == NOTHING_SAID and not envelope.requests:
        return {}
    return {
        "asked": [envelope.asked.returned, envelope.asked.envid],
        "requests": [
            [None if asked.notify is None else asked.notify.value, asked.original_type, asked.original]
            for asked in envelope.requests
        ],
    }


def _read_request(notify: int | None, original_type: str, original: str) -> RecipientRequest:
    return RecipientRequest(None if notify is None else Notify(notify), original_type, original)


def _read_decision(text: str) -> Decision:
    return stored_decision.from_json(json.loads(text), ())


# A mail to thousands is claimed a hundred recipients at a time; most mails get the same decision.
_envelope = Recent(_read_envelope, PARSED, PARSED_CHARACTERS)
_decision = Recent(_read_decision, PARSED, PARSED_CHARACTERS)


def _address_json(address: Address) -> list[object]:
    if address.ambiguous:
        return [address.local, address.domain, True]
    return [address.local, address.domain]
