"""What the event log says about rules that change what leaves, and to whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.policy.decision import Decision
from gateway.policy.demands import Demands
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.store.events import Event


def dropped_events(queue_id: str, decision: Decision, at: int, dropped: list[int]) -> list[Event]:
    """Return an event for each set of rules that keep recipients from getting the mail."""
    by_rules: dict[tuple[str, ...], list[int]] = {}
    for index in dropped:
        by_rules.setdefault(decision.of(index).rules, []).append(index)
    return [
        Event(
            at,
            queue_id,
            Kind.CANCELLED,
            Reason.POLICY,
            recipients=to_ranges(indexes),
            detail={"rules": list(rules)},
        )
        for rules, indexes in by_rules.items()
    ]


def linked_of(decision: Decision) -> list[int]:
    """Return the indexes of the recipients for whom files wait behind a link; none of nearly every mail."""
    handlings = [outcome.handling for outcome in decision.outcomes]
    if not any(handlings):
        return []
    linked = [
        outcome.handling is not None and outcome.handling.shares and not outcome.demands.drop
        for outcome in decision.outcomes
    ]
    return [index for index, number in enumerate(decision.assigned) if linked[number]] if any(linked) else []


def leaving_detail(people: Sequence[str], linked: Sequence[int], decision: Decision) -> dict[str, object]:
    """Return what rules changed about what leaves and to whom, without what they did not; `people` are all recipients."""
    if not (linked or decision.copied or decision.report_to or decision.texts or decision.left_out):
        return {}
    told: dict[str, object] = {
        "bcc_to": list(people[len(people) - decision.copied :]),
        "report_to": sorted(decision.report_to),
        "disclaimers": [text.key for text in decision.texts],
        "linked": to_ranges(linked),
        "left_out": [{"disclaimers": list(each.keys), "why": each.why} for each in decision.left_out],
    }
    return {key: value for key, value in told.items() if value}


def outcome_detail(demands: Demands) -> dict[str, object]:
    """Return what a class of recipients is asked for beside its window and form, without what it is not."""
    told: dict[str, object] = {"dropped": demands.drop, "routes": sorted(demands.routes)}
    return {key: value for key, value in told.items() if value}
