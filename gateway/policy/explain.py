"""Say what a decision means, recipient by recipient, as plain data that a command or a page can show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.message.address import Address
from gateway.policy.decision import Decision
from gateway.policy.demands import NO_TIME, Text


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that asks something of a recipient, and why."""

    rule: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Explained:
    """What one recipient gets. `leaves_at` is the earliest time; `firm_until` the earliest the sender can make it."""

    address: Address
    external: bool
    leaves_at: datetime
    firm_until: datetime
    held: bool
    firm: bool
    form: str
    sees: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    applied: tuple[Applied, ...]


def explain(decision: Decision, recipients: tuple[Address, ...], now: datetime) -> tuple[Explained, ...]:
    """Return the explanation for every envelope recipient, in order; `now` is the time of acceptance, aware."""
    reasons = {reason.rule: reason.text for reason in decision.reasons}
    return tuple(_one(decision, number, address, now, reasons) for number, address in enumerate(recipients))


def _one(
    decision: Decision, number: int, address: Address, now: datetime, reasons: Mapping[str, Text]
) -> Explained:
    outcome = decision.of(number)
    demands = outcome.demands
    return Explained(
        address=address,
        external=outcome.external,
        leaves_at=now + demands.window,
        firm_until=now + demands.firm,
        held=demands.window > NO_TIME,
        firm=demands.firm > NO_TIME,
        form=demands.form.name.lower(),
        sees=outcome.companions,
        tags=tuple(sorted(demands.tags)),
        applied=tuple(Applied(rule, reasons[rule]) for rule in outcome.rules),
    )
