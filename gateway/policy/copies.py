"""Copies that rules ask for (`bcc_to`): more recipients of the stored mail, decided about by the same rules. Pure.

Conditions have looked at what the sender handed in, before anybody is added here. A copy waits as long as the strictest of the
others, so that a mail which is cancelled in its window reaches nobody; where nobody else gets the mail, nobody gets a copy.
docs/decisions/0054-what-leaves-and-to-whom.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gateway.message.address import Address, parse_path
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.message.status_request import NOTHING_ASKED, Notify, RecipientRequest
from gateway.policy.decide import outcomes_of
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, join_all
from gateway.policy.disclaimers import asked_for
from gateway.policy.mail import Mail
from gateway.policy.model import Policy, Rule

_SILENT = RecipientRequest(Notify.NEVER)


def with_copies(facts: Facts, decision: Decision, policy: Policy, now: datetime) -> tuple[Envelope, Decision]:
    """Return the envelope and the decision with everybody who gets a copy; `now` and `policy` are those that decided."""
    there = {address.key for address in facts.envelope.recipients}
    added = tuple(parse_path(key) for key in sorted(decision.bcc_to - there))
    if not added or decision.refusals:
        return facts.envelope, decision
    mail = Mail(facts, policy.domains, now)
    applying = {reason.rule for reason in decision.reasons}
    rules = [rule for rule in policy.rules if rule.id in applying]
    people = [(address, not policy.domains.matches(address)) for address in added]
    outcomes, assigned = outcomes_of(mail, policy, policy.joined.of(rules), people)
    waiting = _waiting(decision.outcomes)
    whose = [
        _copy(outcomes[number], address, waiting, rules)
        for address, number in zip(added, assigned, strict=True)
    ]
    numbers = {outcome: number for number, outcome in enumerate(decision.outcomes)}
    more = tuple([numbers.setdefault(outcome, len(numbers)) for outcome in whose])
    return _envelope(facts.envelope, added), replace(
        decision,
        outcomes=tuple(numbers),
        assigned=decision.assigned + more,
        copied=len(added),
        texts=asked_for(policy.disclaimers, (key for o in numbers for key in o.demands.disclaimers)),
    )


def _waiting(outcomes: Iterable[Outcome]) -> Demands:
    """Return what a copy waits for: whatever anybody who gets the mail waits for."""
    sent = [outcome.demands for outcome in outcomes if not outcome.demands.drop]
    if not sent:
        return Demands(drop=True)
    return join_all(
        Demands(
            window=each.window,
            firm=each.firm,
            reasoned=each.reasoned,
            confirm=each.confirm,
            approvals=each.approvals,
        )
        for each in sent
    )


def _copy(outcome: Outcome, address: Address, waiting: Demands, rules: list[Rule]) -> Outcome:
    """Return a copy's outcome: the rules that ask for the copy stand among its rules, in the order of their ids."""
    asking = {rule.id for rule in rules if address.key in rule.for_mail.bcc_to}
    named = tuple(sorted({*outcome.rules, *asking}))
    return replace(outcome, demands=outcome.demands.join(waiting), rules=named)


def _envelope(envelope: Envelope, added: tuple[Address, ...]) -> Envelope:
    """Add recipients of whom no server may report to the sender (RFC 3461 4.1)."""
    requests = envelope.requests or (NOTHING_ASKED,) * len(envelope.recipients)
    return replace(
        envelope, recipients=envelope.recipients + added, requests=requests + (_SILENT,) * len(added)
    )


def as_handed_in(envelope: Envelope, decision: Decision) -> tuple[Envelope, Decision]:
    """Take the copies away again: what the sender handed in, and what was decided about that."""
    if not decision.copied:
        return envelope, decision
    count = len(decision.assigned) - decision.copied
    assigned = decision.assigned[:count]
    outcomes = decision.outcomes[: max(assigned, default=-1) + 1]
    kept = replace(decision, outcomes=outcomes, assigned=assigned, copied=0)
    requests = envelope.requests[:count]
    silent = not any(request != NOTHING_ASKED for request in requests)
    return replace(
        envelope, recipients=envelope.recipients[:count], requests=() if silent else requests
    ), kept
