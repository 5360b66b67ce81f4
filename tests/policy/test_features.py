"""docs/features.md: every rule that the page writes down is one that loads, beside the names that the page explains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.policy.load import load_policy

PAGE = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
[NAMES] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| (?!feature|---)", line)]
RULES = [rule for row in ROWS for rule in re.findall(r"`(\{when: .*?\})`", row)]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_page_loads(rule: str) -> None:
    body = rule[1:-1]
    policy = load_policy({"page.yaml": f"{NAMES}rules:\n  - {{id: shown, reason: why, {body}}}\n"})
    assert [each.id for each in policy.rules] == ["shown"]


def test_every_feature_has_one_of_three_verdicts() -> None:
    verdicts = [row.split(" | ")[1] for row in ROWS]
    assert len(ROWS) >= 65
    assert set(verdicts) == {"yes", "better", "no"}


def test_what_is_expressible_shows_how() -> None:
    for row in ROWS:
        name, verdict, how = row.strip("| ").split(" | ")
        assert how.strip(), name
        if verdict == "no":
            assert "`{when: " not in how, f"{name}: left out, and yet a rule stands here"
