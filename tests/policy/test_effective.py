"""What is said to apply to a sender does: on every drawn mail of theirs, and in the command's words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from gateway.cli import main
from gateway.message.facts import Facts
from gateway.policy.compile import compile_policy, context_of
from gateway.policy.decide import decide
from gateway.policy.effective import Applies, Known, effective
from gateway.policy.schema import PolicyFile
from tests.policy.generated import floors
from tests.policy.generated_conditions import Json
from tests.policy.generated_facts import INTERNAL, TIMES, address, facts
from tests.thoroughness import examples

EXAMPLES = Path(__file__).parents[2] / "policies" / "examples"


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(floors(), facts(), st.sampled_from(INTERNAL), TIMES, st.booleans(), st.booleans())
def test_what_is_said_holds_for_every_mail_of_the_sender(
    floor: Json, drawn: Facts, sender: str, now: datetime, with_time: bool, with_recipients: bool
) -> None:
    file = PolicyFile.model_validate(floor)
    policy, context = compile_policy({"a.yaml": file}, "digest"), context_of({"a.yaml": file})
    who = address(sender)
    mail = replace(drawn, envelope=replace(drawn.envelope, sender=who), authors=(who,))
    to = mail.envelope.recipients
    outside = [number for number, each in enumerate(to) if not policy.domains.matches(each)]
    assume(outside)
    known = Known(who, to if with_recipients else (), now if with_time else None)
    found = effective({rule.id: rule for rule in file.rules}, policy, context, known)
    decision = decide(mail, policy, now)
    applied = {reason.rule for reason in decision.reasons} | {each.rule for each in decision.watched}
    for effect in found.effects:
        event(effect.applies)
        assert effect.applies is not Applies.ALWAYS or effect.rule.id in applied
        assert effect.applies is not Applies.NEVER or effect.rule.id not in applied
    assert set(found.for_mail.refusals) <= set(decision.refusals)
    for number in outside:
        assert decision.of(number).demands.covers(found.demands)
        if mail.attachments or mail.unclear:
            assert decision.of(number).demands.protections >= found.of_files


def sekisho(example: str, *arguments: str) -> Result:
    folder = str(EXAMPLES / example)
    return CliRunner().invoke(main, ["policy", "effective", "--policies", folder, *arguments])


def verdicts(result: Result) -> dict[str, str]:
    return {each["rule"]: each["applies"] for each in json.loads(result.stdout)["rules"]}


@pytest.mark.parametrize(
    ("sender", "more", "expected"),
    [
        ("desk@sports.example.jp", [], ["always", "maybe", "maybe", "maybe"]),
        ("a@city.example.lg.jp", [], ["always", "never", "never", "maybe"]),
        ("desk@sports.example.jp", ["--to", "b@city.example.lg.jp"], ["never", "never", "never", "maybe"]),
        ("desk@sports.example.jp", ["--at", "2026-11-20T10:00"], ["always", "maybe", "never", "maybe"]),
    ],
)
def test_two_tiers_by_sender(sender: str, more: list[str], expected: list[str]) -> None:
    result = sekisho("two-tiers", "--sender", sender, "--json", *more)
    assert result.exit_code == 0
    names = ["cancel-window", "hall-attachments", "hall-bulk-out-of-hours", "hide-recipients"]
    assert verdicts(result) == dict(zip(names, expected, strict=True))


def test_each_demand_has_its_place() -> None:
    lines = sekisho("two-tiers", "--sender", "desk@sports.example.jp", "--language", "en").stdout.splitlines()
    assert lines[0].startswith("applies: cancel-window  floor/10-base.yaml:27  mail that goes outside")
    assert "may apply: hall-attachments  local/hall.yaml:12  attachments from the hall wait longer" in lines
    assert "    when outside: ward-office" in lines
    assert lines[-1] == "external recipients have at least: hold 10m"


def test_the_time_makes_a_window_certain_and_japanese_is_spoken() -> None:
    result = sekisho("office-hours", "--sender", "a@city.example.lg.jp", "--at", "2026-11-20T20:00")
    assert result.stdout.splitlines()[-1] == "外部の宛先には、少なくとも: 保留 3d12h30m"
    assert "必ず適用: until-office-opens  policy.yaml:" in result.stdout


def test_wrong_use_and_a_broken_policy(tmp_path: Path) -> None:
    assert sekisho("two-tiers", "--sender", "nobody").exit_code == 2
    assert sekisho("two-tiers", "--sender", "a@example.jp", "--at", "noon").exit_code == 2
    (tmp_path / "a.yaml").write_text("version: 1\nrulez: []\n", "utf-8")
    result = CliRunner().invoke(
        main, ["policy", "effective", "--policies", str(tmp_path), "--sender", "a@b.jp"]
    )
    assert result.exit_code == 1
    assert "a.yaml:2:1" in result.output
