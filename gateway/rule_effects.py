"""What each rule of the policy in force does, as metrics: so that a rule that proves nothing can be seen.

Bounded: only rules of the policy in force have series of their own, MAX_RULES at most, and they go with the policy. Any
other rule, such as one of a mail that an older policy held, counts as OTHER. `sekisho log rules` has the figures of any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from prometheus_client import Counter

from gateway.metrics import RULE_MAILS, RULE_WAIT

MAX_RULES = 40  # with seven series each they fit into a worker's file of figures, which must not grow (cli/figures.py)
OTHER = "other"

MATCHED = "matched"
WATCHED = "watched"  # would have matched: the rule only watches
HELD = "held"
REFUSED = "refused"
WAIVED = "waived"  # the sender let the mail go before its time
CANCELLED = "cancelled"  # by the sender

_EFFECTS = (MATCHED, WATCHED, HELD, REFUSED, WAIVED, CANCELLED)
_holding: dict[str, bool] = {}
_series: dict[
    tuple[str, str], Counter
] = {}  # of this policy; looked up by label they cost three times as much


def in_force(rules: Mapping[str, bool]) -> None:
    """Say which rules are in force, and of each whether it may hold mail; the series of those that are not go."""
    before = set(_holding)
    _holding.clear()
    _holding.update({rule: rules[rule] for rule in sorted(rules)[:MAX_RULES]})
    _series.clear()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # files of several workers keep what was counted
        for rule in before.difference(_holding):
            _forget(rule)


def mails(effect: str, rules: Iterable[str]) -> None:
    """Count one mail for each of the rules, which are distinct."""
    for rule in rules:
        (_series.get((rule, effect)) or _first(rule, effect)).inc()


def _first(rule: str, effect: str) -> Counter:
    name = _named(rule)
    series = RULE_MAILS.labels(name, effect)
    if name == rule:
        _series[rule, effect] = series
    return series


def waited(rules: Iterable[str], seconds: float) -> None:
    """Count what recipients waited for each of the rules that hold."""
    for rule in {_named(rule) for rule in holding(rules)}:
        RULE_WAIT.labels(rule).inc(seconds)


def holding(rules: Iterable[str]) -> set[str]:
    """Return those of the rules that may hold mail; a rule that is not in force may."""
    return {rule for rule in rules if _holding.get(rule, True)}


def _forget(rule: str) -> None:
    for effect in _EFFECTS:
        with suppress(KeyError):
            RULE_MAILS.remove(rule, effect)
    with suppress(KeyError):
        RULE_WAIT.remove(rule)


def _named(rule: str) -> str:
    return rule if rule in _holding else OTHER
