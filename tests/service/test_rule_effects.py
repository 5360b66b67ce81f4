"""Metrics by rule: counted for the rules of the policy in force, bounded, and gone with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway import rule_effects
from gateway.metrics import RULE_MAILS, RULE_WAIT
from gateway.policy.load import load_policy


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    def clear() -> None:
        rule_effects.in_force({})
        RULE_MAILS.clear()
        RULE_WAIT.clear()

    clear()
    yield
    clear()


def series() -> dict[tuple[str, ...], float]:
    samples = [s for family in (*RULE_MAILS.collect(), *RULE_WAIT.collect()) for s in family.samples]
    return {(s.labels["rule"], s.labels.get("effect", "wait")): s.value for s in samples}


def test_what_is_counted() -> None:
    rule_effects.in_force({"wait": True, "mark": False})
    rule_effects.mails(rule_effects.MATCHED, ["wait", "mark", "gone"])
    rule_effects.mails(rule_effects.HELD, rule_effects.holding(["wait", "mark"]))
    rule_effects.waited(["wait", "mark"], 12.5)
    assert series() == {
        ("wait", "matched"): 1, ("mark", "matched"): 1, ("other", "matched"): 1, ("wait", "held"): 1, ("wait", "wait"): 12.5
    }  # fmt: skip


def test_series_go_with_their_rule_and_others_stay() -> None:
    rule_effects.in_force({"wait": True, "mark": False})
    rule_effects.mails(rule_effects.MATCHED, ["wait", "mark"])
    rule_effects.waited(["wait"], 1)
    rule_effects.in_force({"mark": False})
    assert series() == {("mark", "matched"): 1}
    rule_effects.mails(rule_effects.MATCHED, ["wait", "mark"])
    assert series() == {("mark", "matched"): 2, ("other", "matched"): 1}


def test_rules_beyond_the_bound_count_together() -> None:
    many = {f"r{number:03}": True for number in range(rule_effects.MAX_RULES + 5)}
    rule_effects.in_force(many)
    rule_effects.mails(rule_effects.MATCHED, many)
    found = series()
    assert len(found) == rule_effects.MAX_RULES + 1
    assert found["other", "matched"] == 5


def test_a_rule_that_can_hold_says_so() -> None:
    head = "version: 1\norganisation: {name: x, internal: [example.jp]}\nrules:\n"
    texts = ("{id: a, reason: x, then: {hold: 1m}}", "{id: b, reason: x, then: {tag: {X-A: b}}}")
    policy = load_policy({"a.yaml": head + "".join(f"  - {text}\n" for text in texts)})
    assert {rule.id: rule.holds for rule in policy.rules} == {"a": True, "b": False}
