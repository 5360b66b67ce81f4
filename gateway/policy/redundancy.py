"""Rules that add nothing beside another rule: taking one of them out would change no decision but its reasons. Pure.

Only what is certain is reported (implication.py). A floor rule never is because of a local one: the floor has to stand
alone. Nor is a hiding rule because of one in another file: circles count for the rules of their own file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gateway.policy import protection_order, schema
from gateway.policy.actions.ask import Ask
from gateway.policy.demands import Demands, Form, join_all
from gateway.policy.implication import implies
from gateway.policy.model import Policy, Rule
from gateway.policy.sources import Source
from gateway.policy.tiers import Tier
from gateway.values import dataclass
from gateway.yaml_source import Problem


@dataclass(frozen=True, slots=True)
class _Known:
    """A rule as it stands and as it decides."""

    source: Source
    index: int
    written: schema.Rule
    rule: Rule


def idle_beside_others(sources: Sequence[Source], policy: Policy) -> Iterator[Problem]:
    """Report every rule that adds nothing beside another one; of two that say the same, the second."""
    compiled = {rule.id: rule for rule in policy.rules}
    known = [
        _Known(source, index, written, compiled[written.id])
        for source in sources
        for index, written in enumerate(source.file.rules)
    ]
    for place, each in enumerate(known):
        others = [(other, earlier < place) for earlier, other in enumerate(known) if other is not each]
        if (found := _covering(each, others)) is not None:
            message = f"adds nothing: {found.rule.id} ({found.rule.place}) applies wherever it does and asks for as much"
            yield each.source.document.problem(("rules", each.index), message, "take it out, or ask for more")


def _covering(each: _Known, others: Iterable[tuple[_Known, bool]]) -> _Known | None:
    for other, stands_before in others:
        if adds_nothing(each.written, each.rule, other.written, other.rule) and (
            stands_before or not adds_nothing(other.written, other.rule, each.written, each.rule)
        ):
            return other
    return None


def adds_nothing(written: schema.Rule, rule: Rule, other_written: schema.Rule, other: Rule) -> bool:
    """Tell whether `rule` certainly changes no decision beside `other`."""
    if rule.monitor or other.monitor or (rule.tier is Tier.FLOOR and other.tier is not Tier.FLOOR):
        return False
    if not implies(written.when, other_written.when) or not _excepted_too(written, other_written):
        return False
    if rule.file != other.file and any(ask.demands.form > Form.ORIGINAL for ask in rule.asks):
        return False
    return other.for_mail.covers(rule.for_mail) and all(
        _asked_too(ask, written, other, other_written) for ask in rule.asks
    )


def _excepted_too(written: schema.Rule, other: schema.Rule) -> bool:
    """Tell whether whatever `other` excepts is excepted by the rule as well."""
    if other.unless is None:
        return True
    return written.unless is not None and implies(other.unless, written.unless)


def _asked_too(ask: Ask, written: schema.Rule, other: Rule, other_written: schema.Rule) -> bool:
    """Tell whether the other rule asks at least as much of everybody whom this ask is for."""
    if ask.worked_out is not None:
        return False
    beside = [each.demands for each in other.asks if _reaches(each, ask, written, other_written)]
    return _covers(join_all(beside), ask.demands)


def _covers(beside: Demands, asked: Demands) -> bool:
    without = replace(asked, protections=frozenset())
    return beside.covers(without) and all(
        any(protection_order.adds_nothing(each, other) for other in beside.protections)
        for each in asked.protections
    )


def _reaches(each: Ask, ask: Ask, written: schema.Rule, other_written: schema.Rule) -> bool:
    if each.worked_out is not None:
        return False
    if each.whom == "matching" and ask.whom == "matching":
        return set(_recipients(written)) <= set(_recipients(other_written))
    return each.whom in ("all", ask.whom)


def _recipients(written: schema.Rule) -> tuple[str, ...]:
    return (written.when.recipient if written.when is not None else None) or ()
