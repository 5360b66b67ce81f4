"""Rules that no mail can ever meet, because two of their keys exclude each other. Pure; only what is certain is reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.message.address import Address
from gateway.message.domains import DomainSet
from gateway.policy.bounds import Range
from gateway.policy.conditions.condition import Condition
from gateway.policy.sources import Source
from gateway.yaml_source import Problem


def never_met(sources: Sequence[Source], internal: DomainSet) -> Iterator[Problem]:
    """Report every rule whose `when` certainly fits no mail."""
    for source in sources:
        for index, rule in enumerate(source.file.rules):
            for key, message in _excluded(rule.when, internal) if rule.when is not None else ():
                where = ("rules", index, "when", key)
                yield source.document.problem(where, f"can never match: {message}", "drop one of the two")


def _excluded(when: Condition, internal: DomainSet) -> Iterator[tuple[str, str]]:
    if when.circle is not None and _none(when.external) and _none(when.visible_external):
        yield (
            "circle",
            "a circle asks for somebody outside, and `external` and `visible_external` allow nobody",
        )
    if when.recipient is not None and _none(when.external) and _all_outside(when.recipient, internal):
        yield "recipient", "these people are outside, and `external` allows nobody outside"


def _none(bounds: Range | None) -> bool:
    return bounds is not None and bounds.at_most == 0


def _all_outside(patterns: Sequence[str], internal: DomainSet) -> bool:
    """Tell whether whoever fits a pattern is outside; of all domains below one that is not known."""
    return not any(
        each.startswith(".") or internal.matches(Address("anybody", each.rpartition("@")[2]))
        for each in patterns
    )
