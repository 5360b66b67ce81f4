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
    """What one recipient gets. `disclaimers` are the texts asked for, `left_out` why they do not stand there; `copy`: added
    by `bcc_to`. `leaves_at` is the earliest time; `firm_until` the earliest the sender can make it."""

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
    dropped: bool = False
    routes: tuple[str, ...] = ()
    disclaimers: tuple[str, ...] = ()
    left_out: str = ""
    copy: bool = False


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
        held=demands.waits and not demands.drop,
        firm=demands.firm > NO_TIME,
        form=demands.form.name.lower(),
        sees=outcome.companions,
        tags=tuple(sorted(demands.tags)),
        applied=tuple(Applied(rule, reasons[rule]) for rule in outcome.rules),
        dropped=demands.drop,
        routes=tuple(sorted(demands.routes)),
        disclaimers=tuple(sorted(demands.disclaimers)),
        left_out=next((e.why for e in decision.left_out if set(e.keys) == demands.disclaimers), ""),
        copy=decision.is_copy(number),
    )
