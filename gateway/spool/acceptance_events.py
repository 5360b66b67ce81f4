"""What the event log says of a mail that comes: accepted, tried at once, or refused. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import FORM_WORDS, Demands
from gateway.policy.handling import Handling
from gateway.spool.coming import Coming
from gateway.spool.leaving import leaving_detail, outcome_detail
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.spool.times import span_us
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
        "outcomes": _outcomes(decision),
        "held": mail.held_ranges,
        "groups": list(new.groups),
    }
    if decision.watched:
        detail["watched"] = [watched.rule for watched in decision.watched]
    detail |= leaving_detail(mail.people, decision)
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


def _outcomes(decision: Decision) -> list[dict[str, object]]:
    """Return per class of recipients: how many, inside or outside, held how long, shown how, by which rules."""
    counts: Mapping[int, int] = {0: len(decision.assigned)}  # nearly every mail has one class
    if len(decision.outcomes) > 1:
        counts = Counter(decision.assigned)
    return [_outcome(outcome, counts[number]) for number, outcome in enumerate(decision.outcomes)]


def _outcome(outcome: Outcome, recipients: int) -> dict[str, object]:
    demands = outcome.demands
    told: dict[str, object] = {
        "recipients": recipients,
        "external": outcome.external,
        "window_s": span_us(demands.window) // 1_000_000,
        "form": FORM_WORDS[demands.form],
        "rules": list(outcome.rules),
    }
    if demands.drop or demands.routes:
        told |= outcome_detail(demands)
    if not demands.waits_for_nobody:
        told |= _asked_of_people(demands)
    if outcome.handling is not None:
        told["files"] = _files(outcome.handling)
    return told


def _asked_of_people(demands: Demands) -> dict[str, object]:
    asked = {
        "confirm": sorted(each.rule for each in demands.confirm),
        "approve": sorted(each.rule for each in demands.approvals),
    }
    return {key: rules for key, rules in asked.items() if rules}


def _files(handling: Handling) -> dict[str, object]:
    """Return what becomes of the files of a class of recipients, without what there is nothing to say of."""
    told: dict[str, object] = {
        "forms": sorted({how.word for _, how in handling.forms}),
        "obstacle": handling.obstacle,
        "way": str(handling.way or "") if handling.needs_key else "none needed",
    }
    return {key: value for key, value in told.items() if value}
