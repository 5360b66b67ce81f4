"""Say what a decision means, recipient by recipient, as plain data that a command or a page can show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from gateway.message.address import Address
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NO_TIME, Approval, Confirmation, Text
from gateway.policy.difference import Fate, fate_of
from gateway.policy.handling import Handling
from gateway.policy.protection import Protection
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that asks something of a recipient, why, and where it stands (`file:line`; empty where nobody knows)."""

    rule: str
    reason: Text
    place: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """What one recipient gets.

    `leaves_at` is the earliest time; `firm_until` the earliest the sender can make it, `reasoned_until` the earliest without
    giving a reason. `confirm` and `approvals` are whom it waits for, whatever the time. `disclaimers` are the texts asked
    for, `left_out` why they do not stand there; `copy`: added by `bcc_to`. `handling` is what becomes of the files,
    `protections` what rules ask for them.
    """

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
    fate: Fate = Fate.AT_ONCE
    window: timedelta = NO_TIME
    hides_internal: bool = False
    reasoned_until: datetime | None = None
    confirm: tuple[Confirmation, ...] = ()
    approvals: tuple[Approval, ...] = ()
    handling: Handling | None = None
    protections: tuple[Protection, ...] = ()


def explain(
    decision: Decision,
    recipients: tuple[Address, ...],
    now: datetime,
    places: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Explained, ...]:
    """Return the explanation for every envelope recipient, in order.

    `now` is the time of acceptance, aware; `places` tells where each rule stands (`file:line`).
    """
    applied = {
        reason.rule: Applied(reason.rule, reason.text, places.get(reason.rule, ""))
        for reason in decision.reasons
    }
    return tuple(_one(decision, number, address, now, applied) for number, address in enumerate(recipients))


def _one(
    decision: Decision, number: int, address: Address, now: datetime, applied: Mapping[str, Applied]
) -> Explained:
    outcome = decision.of(number)
    demands = outcome.demands
    return Explained(
        address=address,
        external=outcome.external,
        leaves_at=now + demands.window,
        firm_until=now + demands.firm,
        held=outcome.waits and not demands.drop,
        firm=demands.firm > NO_TIME,
        form=demands.form.name.lower(),
        sees=outcome.companions,
        tags=tuple(sorted(demands.tags)),
        applied=tuple(applied[rule] for rule in outcome.rules),
        dropped=demands.drop,
        routes=tuple(sorted(demands.routes)),
        disclaimers=tuple(sorted(demands.disclaimers)),
        left_out=next((e.why for e in decision.left_out if set(e.keys) == demands.disclaimers), ""),
        copy=decision.is_copy(number),
        fate=Fate.REFUSED if decision.refusals else _fate(outcome),
        window=demands.window,
        hides_internal=demands.hide_internal,
        reasoned_until=now + demands.reasoned if demands.reasoned > demands.firm else None,
        confirm=tuple(sorted(demands.confirm)),
        approvals=tuple(sorted(demands.approvals)),
        handling=outcome.handling,
        protections=tuple(sorted(demands.protections)),
    )


def _fate(outcome: Outcome) -> Fate:
    asked = fate_of(outcome.demands)
    waits_for_key = outcome.handling is not None and not outcome.handling.is_complete
    return Fate.KEY if waits_for_key and asked in (Fate.HELD, Fate.AT_ONCE) else asked
