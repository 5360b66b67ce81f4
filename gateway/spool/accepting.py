"""Accept: what one new mail writes. The rows are computed first (pure), the job only inserts them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gateway.message.envelope import Envelope
from gateway.policy.decision import NO_TIME, Decision
from gateway.spool.contract import NewMessage, NoticeKind
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.ranges import to_ranges
from gateway.spool.records import decision_json, envelope_json
from gateway.spool.statements import INSERT_BODY, INSERT_MESSAGE, INSERT_NOTICE, INSERT_RECIPIENT
from gateway.spool.times import span_us, to_us
from gateway.store.bodies import Body
from gateway.store.events import Event, storable
from gateway.store.tx import Params, Tx


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All rows of one accepted mail."""

    message: Params
    recipients: list[Params]
    event: Event
    notices: list[Params]
    held: int

    def write(self, tx: Tx, body: Body) -> str:
        """Insert everything; return the queue id."""
        tx.run(INSERT_MESSAGE, self.message)
        tx.many(INSERT_RECIPIENT, self.recipients)
        tx.run(INSERT_BODY, _body_row(body))
        tx.many(INSERT_NOTICE, self.notices)
        tx.event(self.event)
        tx.tally(State.HELD, self.held)
        tx.tally(State.QUEUED, len(self.recipients) - self.held)
        return body.queue_id


def acceptance(queue_id: str, new: NewMessage) -> Acceptance:
    """Compute the rows: held recipients are due when their window ends, the others now."""
    at = to_us(new.received_at)
    rows = [
        _recipient_row(queue_id, index, new.decision, at) for index in range(len(new.envelope.recipients))
    ]
    held = [index for index, row in enumerate(rows) if row["state"] is State.HELD]
    return Acceptance(
        message=_message_row(queue_id, new, at, len(held)),
        recipients=rows,
        event=_event(queue_id, new, at, held),
        notices=_notices(queue_id, new, at, held),
        held=len(held),
    )


def refusal(envelope: Envelope, decision: Decision, subject: str, at: int) -> Event:
    """Return the event of a refused mail."""
    detail = _parties(envelope) | {
        "subject": subject,
        "policy": decision.digest,
        "rules": [refused.rule for refused in decision.refusals],
    }
    return Event(at, None, Kind.REFUSED, Reason.POLICY, "sender", _actor(envelope), detail=detail)


def notice_row(
    kind: NoticeKind, queue_id: str, to: str, recipients: list[int], at: int, actor: str = ""
) -> Params:
    """Return an outbox row."""
    return {
        "kind": str(kind),
        "queue_id": queue_id,
        "to_address": storable(to),
        "recipients": to_ranges(recipients),
        "created_at": at,
        "actor": storable(actor),
    }


def _message_row(queue_id: str, new: NewMessage, at: int, held: int) -> Params:
    sender = new.envelope.sender
    return {
        "queue_id": queue_id,
        "received_at": at,
        "sender": None if sender is None else storable(str(sender)),
        "subject": storable(new.subject),
        "size_bytes": len(new.raw),
        "envelope": envelope_json(new.envelope, new.decision.assigned),
        "decision": decision_json(new.decision),
        "from_gateway": int(new.from_gateway),
        "about": new.about,
        "open_recipients": len(new.envelope.recipients),
        "held_recipients": held,
        "finished_at": None,
        "delay_noticed_at": None,
    }


def _recipient_row(queue_id: str, index: int, decision: Decision, at: int) -> Params:
    window = decision.of(index).demands.window
    held = window > NO_TIME
    return {
        "queue_id": queue_id,
        "idx": index,
        "state": State.HELD if held else State.QUEUED,
        "due_at": at + span_us(window) if held else at,
        "queued_at": None if held else at,
        "changed_at": at,
        "attempts": 0,
        "perhaps": 0,
        "reply": "",
        "lease": None,
        "owner": None,
        "lease_until": None,
    }


def _body_row(body: Body) -> Params:
    return {
        "queue_id": body.queue_id,
        "place": body.place,
        "format": body.format,
        "key_id": body.key_id,
        "wrapped_key": body.wrapped_key,
        "data": body.data,
    }


def _notices(queue_id: str, new: NewMessage, at: int, held: list[int]) -> list[Params]:
    if new.from_gateway:  # our own mail never asks for more of it
        return []
    everybody = list(range(len(new.envelope.recipients)))
    rows = [
        notice_row(NoticeKind.COPY, queue_id, address, everybody, at)
        for address in sorted(new.decision.notify)
    ]
    if new.decision.notify_sender and held and new.envelope.sender is not None:
        rows.insert(0, notice_row(NoticeKind.HOLD, queue_id, str(new.envelope.sender), held, at))
    return rows


def _event(queue_id: str, new: NewMessage, at: int, held: list[int]) -> Event:
    detail = _parties(new.envelope) | {
        "subject": new.subject,
        "size": len(new.raw),
        "policy": new.decision.digest,
        "outcomes": _outcomes(new.decision),
        "held": to_ranges(held),
    }
    if new.from_gateway:
        detail |= {"from_gateway": True, "about": new.about}
    reason = Reason.SYSTEM if new.from_gateway else Reason.POLICY if held else Reason.NO_HOLD
    actor = "system" if new.from_gateway else "sender"
    everybody = to_ranges(range(len(new.envelope.recipients)))
    return Event(at, queue_id, Kind.ACCEPTED, reason, actor, _actor(new.envelope), everybody, detail)


def _parties(envelope: Envelope) -> dict[str, object]:
    return {
        "sender": "" if envelope.sender is None else str(envelope.sender),
        "recipients": [str(address) for address in envelope.recipients],
        "account": envelope.client.account,
        "client": envelope.client.ip,
        "helo": envelope.client.helo,
        "tls": envelope.client.tls,
    }


def _outcomes(decision: Decision) -> list[dict[str, object]]:
    """Return per class of recipients: how many, inside or outside, held how long, shown how, by which rules."""
    counts = Counter(decision.assigned)
    return [
        {
            "recipients": counts[number],
            "external": outcome.external,
            "window_s": int(outcome.demands.window.total_seconds()),
            "form": outcome.demands.form.name.lower(),
            "rules": list(outcome.rules),
        }
        for number, outcome in enumerate(decision.outcomes)
    ]


def _actor(envelope: Envelope) -> str:
    return envelope.client.account or ("" if envelope.sender is None else str(envelope.sender))
