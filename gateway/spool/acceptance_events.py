"""What the event log says of a mail that comes: accepted, tried at once, or refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.spool.coming import Coming
from gateway.spool.leaving import leaving_detail
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.store.events import Event


def refusal(
    envelope: Envelope, decision: Decision, subject: str, at: int, groups: Sequence[str] = ()
) -> Event:
    """Return the event of a refused mail."""
    sender = "" if envelope.sender is None else str(envelope.sender)
    detail = {
        **_parties(envelope, sender, [str(address) for address in envelope.recipients]),
        "subject": subject,
        "policy": decision.digest,
        "rules": [refused.rule for refused in decision.refusals],
        "groups": list(groups),
    }
    actor = envelope.client.account or sender
    return Event(at, None, Kind.REFUSED, Reason.POLICY, "sender", actor, detail=detail)


def accepted(mail: Coming) -> Event:
    """Return the event of an accepted mail."""
    new, decision = mail.new, mail.new.decision
    detail = {
        **_parties(new.envelope, mail.sender, mail.people),
        "subject": new.subject,
        "size": len(new.raw),
        "policy": decision.digest,
        "outcomes": mail.decided.outcomes,
        "held": mail.held_ranges,
        "groups": list(new.groups),
    }
    if decision.watched:
        detail["watched"] = [watched.rule for watched in decision.watched]
    detail |= leaving_detail(mail.people, mail.linked, decision)
    if new.from_gateway:
        detail |= {"from_gateway": True, "about": new.about}
    reason = Reason.SYSTEM if new.from_gateway else Reason.POLICY if mail.held else Reason.NO_HOLD
    who = "system" if new.from_gateway else "sender"
    actor = new.envelope.client.account or mail.sender
    return Event(mail.at, mail.queue_id, Kind.ACCEPTED, reason, who, actor, mail.everybody, detail)


def first_attempt(queue_id: str, at: int, leased: list[int]) -> Event:
    """Return the event of the attempt that begins with the acceptance."""
    return Event(at, queue_id, Kind.ATTEMPT, Reason.SYSTEM, recipients=to_ranges(leased))


def _parties(envelope: Envelope, sender: str, people: list[str]) -> dict[str, object]:
    client = envelope.client
    return {
        "sender": sender,
        "recipients": people,
        "account": client.account,
        "client": client.ip,
        "helo": client.helo,
        "tls": client.tls,
    }
