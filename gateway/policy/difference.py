"""What differs between two decisions about the same mail, in words that need no policy to be understood. Pure.

Only what happens counts: which rules asked for it does not. Of a mail that is refused nothing else is compared. Every field of
`Demands` is looked at, one that is added later too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Approval, Confirmation, Demands, Form, MailDemands
from gateway.policy.protection import Protection, protection_text
from gateway.policy.protection_order import as_strict
from gateway.units import format_duration
from gateway.values import dataclass


class Fate(StrEnum):
    """What becomes of a recipient, the strictest first."""

    REFUSED = "refused"
    DROPPED = "dropped"
    APPROVAL = "approval"
    CONFIRMATION = "confirmation"
    KEY = "key"  # until there is a way for the key, or in vain, because the files must not be touched
    HELD = "held"
    AT_ONCE = "at-once"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs for so many recipients; `what` is a key such as `window`, `form` or `refused`."""

    what: str
    then: str
    now: str
    recipients: int


_DEMANDS = tuple(field.name for field in fields(Demands))
_OF_RULES = ("confirm", "approvals", "protections")  # sets of values that name their rule
_OfRule = TypeVar("_OfRule", Confirmation, Approval, Protection)
_WHOLE = tuple(field.name for field in fields(MailDemands) if field.name != "refusals")


def fates(decision: Decision) -> Counter[Fate]:
    """Return how many recipients meet which fate."""
    counts = Counter(decision.assigned)
    found: Counter[Fate] = Counter()
    for number, outcome in enumerate(decision.outcomes):
        found[Fate.REFUSED if decision.refusals else fate_of(outcome.demands)] += counts[number]
    return found


def fate_of(demands: Demands) -> Fate:
    """Return what becomes of a recipient of a mail that is not refused."""
    if demands.drop:
        return Fate.DROPPED
    if demands.approvals:
        return Fate.APPROVAL
    if demands.confirm:
        return Fate.CONFIRMATION
    return Fate.HELD if demands.waits else Fate.AT_ONCE


def forms(decision: Decision) -> Counter[str]:
    """Return how many recipients get which form of the mail."""
    counts = Counter(decision.assigned)
    found: Counter[str] = Counter()
    for number, outcome in enumerate(decision.outcomes):
        found[outcome.demands.form.name.lower()] += counts[number]
    return found


def same_effect(one: Decision, other: Decision) -> bool:
    """Tell whether the same happens to the mail and to each recipient."""
    if one.refusals or other.refusals:
        return bool(one.refusals) is bool(other.refusals)
    return _whole(one) == _whole(other) and all(_effect(a) == _effect(b) for a, b in _pairs(one, other))


def covers(one: Decision, other: Decision) -> bool:
    """Tell whether `one` is at least as strict as `other` for the mail and for each recipient."""
    if one.refusals or other.refusals:
        return bool(one.refusals)
    return _whole(one).covers(_whole(other)) and all(
        _as_strict(a.demands, b.demands)
        and (b.demands.form < a.demands.form or {*a.companions} <= {*b.companions})
        for a, b in _pairs(one, other)
    )


def _as_strict(one: Demands, other: Demands) -> bool:
    return one.covers(replace(other, protections=frozenset())) and all(
        any(as_strict(mine, theirs) for mine in one.protections) for theirs in other.protections
    )


def differences(then: Decision, now: Decision) -> tuple[Difference, ...]:
    """Return all that differs, what concerns the mail as a whole first."""
    if then.refusals or now.refusals:
        refused = (_refusing(then), _refusing(now))
        everybody = len(then.assigned)
        differ = bool(then.refusals) is not bool(now.refusals)
        return (Difference("refused", *refused, everybody),) if differ else ()
    found: Counter[tuple[str, str, str]] = Counter()
    for key in _WHOLE:
        found.update(_one(key, getattr(then, key), getattr(now, key), len(then.assigned)))
    for (a, b), recipients in _pairs(then, now).items():
        for what, before, after in _between(a, b):
            found.update(_one(what, before, after, recipients))
    return tuple(Difference(*said, recipients) for said, recipients in found.items())


def _pairs(one: Decision, other: Decision) -> Counter[tuple[Outcome, Outcome]]:
    classes = Counter(zip(one.assigned, other.assigned, strict=True))
    return Counter({(one.outcomes[a], other.outcomes[b]): count for (a, b), count in classes.items()})


def _whole(decision: Decision) -> MailDemands:
    return MailDemands(**{key: getattr(decision, key) for key in _WHOLE})


def _effect(outcome: Outcome) -> tuple[object, ...]:
    demands = outcome.demands
    if demands.waits_for_nobody and not demands.protections:
        return outcome.external, demands, outcome.companions
    named = [_nameless(getattr(demands, name)) for name in _OF_RULES]
    nameless = replace(demands, confirm=frozenset(), approvals=frozenset(), protections=frozenset())
    return outcome.external, nameless, named, outcome.companions


def _nameless(asked: frozenset[_OfRule]) -> list[_OfRule]:
    """Return what is asked of people and for files without the rules that ask it, each as often as it is asked."""
    return sorted((replace(each, rule="") for each in asked), key=repr)


def _between(then: Outcome, now: Outcome) -> Iterator[tuple[str, object, object]]:
    yield "external", then.external, now.external
    for name in _DEMANDS:
        before, after = getattr(then.demands, name), getattr(now.demands, name)
        if name in _OF_RULES:
            before, after = _nameless(before), _nameless(after)
        yield name, before, after
    yield "sees", then.companions, now.companions


def _one(what: str, then: object, now: object, recipients: int) -> dict[tuple[str, str, str], int]:
    return {} if then == now else {(what, shown(then), shown(now)): recipients}


def _refusing(decision: Decision) -> str:
    return ", ".join(refusal.rule for refusal in decision.refusals) or shown(False)


def _deadline(value: Approval | Confirmation) -> str:
    return f"within {format_duration(value.within)}, else {value.otherwise}"


def shown(value: object) -> str:
    """Return a demand's value as policies write it: `10m`, `bcc`, `yes`, `-` for nothing."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Form):
        return value.name.lower()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Approval):
        return f"{value.at_least} of {value.name} {_deadline(value)}"
    if isinstance(value, Confirmation):
        return f"{value.items} {_deadline(value)}"
    if isinstance(value, Protection):
        return protection_text(value)
    if isinstance(value, frozenset | list):
        return ", ".join(sorted(map(shown, value))) or "-"
    if isinstance(value, tuple):
        return (": " if len(value) == 2 else ", ").join(map(str, value)) or "-"
    return str(value)
