"""What the event log says of a mail that comes: accepted, tried at once, or refused. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.demands import Demands
from gateway.policy.handling import Handling
from gateway.spool.leaving import leaving_detail, outcome_detail
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.spool.values import NewMessage
from gateway.store.events import Event


def refusal(
    envelope: Envelope, decision: Decision, subject: str, at: int, groups: Sequence[str] = ()
) -> Event:
    """Return the event of a refused mail."""
    detail = _parties(envelope) | {
        "subject": subject,
        "policy": decision.digest,
        "rules": [refused.rule for refused in decision.refusals],
        "groups": list(groups),
    }
    return Event(at, None, Kind.REFUSED, Reason.POLICY, "sender", _actor(envelope), detail=detail)


def accepted(queue_id: str, new: NewMessage, at: int, held: list[int]) -> Event:
    """Return the event of an accepted mail; `held` are the indexes of who waits."""
    detail = _parties(new.envelope) | {
        "subject": new.subject,
        "size": len(new.raw),
        "policy": new.decision.digest,
        "outcomes": _outcomes(new.decision),
        "held": to_ranges(held),
        "groups": list(new.groups),
    }
    if new.decision.watched:
        detail["watched"] = [watched.rule for watched in new.decision.watched]
    detail |= leaving_detail(new.envelope, new.decision)
    if new.from_gateway:
        detail |= {"from_gateway": True, "about": new.about}
    reason = Reason.SYSTEM if new.from_gateway else Reason.POLICY if held else Reason.NO_HOLD
    actor = "system" if new.from_gateway else "sender"
    everybody = to_ranges(range(len(new.envelope.recipients)))
    return Event(at, queue_id, Kind.ACCEPTED, reason, actor, _actor(new.envelope), everybody, detail)


def first_attempt(queue_id: str, at: int, leased: list[int]) -> list[Event]:
    """Return the event of the attempt that begins with the acceptance, if one does."""
    return [Event(at, queue_id, Kind.ATTEMPT, Reason.SYSTEM, recipients=to_ranges(leased))] if leased else []


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
            **outcome_detail(outcome.demands),
            **_asked_of_people(outcome.demands),
            **({} if outcome.handling is None else {"files": _files(outcome.handling)}),
        }
        for number, outcome in enumerate(decision.outcomes)
    ]


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


def _actor(envelope: Envelope) -> str:
    return envelope.client.account or ("" if envelope.sender is None else str(envelope.sender))
