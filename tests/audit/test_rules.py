"""What each rule did, from real events: matched, watched, held, waived, cancelled, and the waiting it cost."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.audit import rules as audit_rules
from gateway.audit.entries import Entry, Question
from gateway.audit.log import EventLog
from gateway.audit.rules import KINDS, Effect, RuleEffects
from gateway.cli import main
from gateway.policy.decision import Decision, Outcome, Watched
from gateway.policy.demands import NOTHING_FOR_THE_MAIL, Demands, Refusal, Text
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import open_spool
from gateway.spool.values import Actor, NewMessage
from gateway.store.keys import MasterKey
from tests.spool.mails import MINUTE, SENDER, T0, WINDOW, mail

CLERK = Actor("sender", "clerk")
POLICY = """
version: 1
organisation: {name: x, internal: [sports.example.jp]}
rules:
  - {id: wait, reason: x, then: {hold: 10m}}
  - {id: mark, reason: x, then: {tag: {X-A: b}}}
  - {id: idle, reason: x, when: {size: {at_least: 1GiB}}, then: {hold: 1h}}
  - {id: trial, reason: x, then: {hold: 1h}, monitor: true}
"""


def decided(held: int = 2) -> NewMessage:
    """A mail that `wait` holds and `mark` marks, and that `trial` would have held."""
    outcome = Outcome(True, Demands(window=WINDOW), rules=("mark", "wait"))
    watched = (Watched("trial", held, Demands(), NOTHING_FOR_THE_MAIL),)
    return replace(mail(held=held), decision=Decision("d", (outcome,), (0,) * held, watched=watched))


async def _history(state: Path, master: MasterKey) -> None:
    spool = open_spool(state, master, serve=True, clock=lambda: T0)
    ids = [await spool.accept(decided()) for _ in range(3)]
    await spool.accept(replace(decided(), from_gateway=True))
    await spool.release(ids[0], [0], CLERK, Reason.BY_SENDER, T0 + 2 * MINUTE)
    await spool.cancel(ids[0], [1], CLERK, Reason.BY_SENDER, T0 + 3 * MINUTE)
    await spool.cancel(ids[1], None, Actor("admin"), Reason.BY_ADMIN, T0 + MINUTE)
    await spool.release_due(T0 + WINDOW, 2)
    refused = Decision("d", (Outcome(True, Demands()),), (0,), (Refusal("no", Text("", "")),))
    await spool.refused(decided(1).envelope, refused, "", T0)
    await spool.close()


@pytest.fixture
def counted(state: Path, master: MasterKey) -> Path:
    asyncio.run(_history(state, master))
    return state


def effects(state: Path, holds: dict[str, bool]) -> RuleEffects:
    with EventLog(state) as events:
        return RuleEffects(holds).add(events.stream(Question(kinds=KINDS)))


def test_what_rules_did(counted: Path) -> None:
    found = effects(counted, {"wait": True, "mark": False, "idle": True})
    assert found.mails == 4
    assert found.effects["wait"] == Effect(
        matched=3, held=3, waived=1, cancelled=1, waited=3, waited_s=120.0 + 2 * WINDOW.total_seconds()
    )
    assert found.effects["mark"] == Effect(matched=3)
    assert found.effects["trial"] == Effect(watched=3)
    assert found.effects["no"] == Effect(matched=1, refused=1)
    assert found.effects["idle"].proves_nothing
    assert found.effects["wait"].mean_wait_s == pytest.approx(440.0)
    assert found._open == {}


def test_a_window_that_was_only_shortened_has_not_ended() -> None:
    events = [
        entry("accepted", 0, detail=_accepted()),
        entry("released", 5, detail={"leaves_at": "x", "because": "急ぎ"}),
    ]
    found = RuleEffects({}).add([*events, entry("released", 60, reason="window-over")])
    wait = found.effects["wait"]
    assert (wait.waived, wait.overridden, wait.waited, wait.waited_s) == (1, 1, 1, 60.0)


def test_few_mails_are_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rules, "MAX_OPEN", 1)
    events = [entry("accepted", n, queue_id=f"Q{n}", detail=_accepted()) for n in range(3)]
    found = RuleEffects({}).add([*events, entry("released", 9, queue_id="Q0")])
    assert (found.not_followed, found.effects["wait"].held, found.effects["wait"].waited) == (2, 3, 0)


@pytest.mark.parametrize(
    "detail", [{"unreadable": "x"}, {"outcomes": 3}, {"outcomes": [3], "held": "0"}, {"watched": {}}]
)
def test_an_altered_event_is_no_obstacle(detail: dict[str, object]) -> None:
    assert RuleEffects({}).add([entry("accepted", 0, detail=detail)]).mails == 1


def entry(
    kind: str, seconds: int, queue_id: str = "Q", reason: str = "by-sender", detail: object = None
) -> Entry:
    at = T0 + timedelta(seconds=seconds)
    said = detail if isinstance(detail, dict) else {}
    return Entry(1, at, queue_id, kind, reason, "sender", str(SENDER), "0", said, b"", b"")


def _accepted() -> dict[str, object]:
    return {"outcomes": [{"window_s": 600, "rules": ["wait"]}], "held": "0"}


def test_the_command(counted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text(POLICY, "utf-8")
    place = ["log", "rules", "--state", str(counted), "--policies", str(folder), "--since", "2026-03-01"]
    shown = CliRunner().invoke(main, [*place, "--language", "en"])
    assert shown.exit_code == 0, shown.output
    assert ["wait", *"3030101", "7m20s"] in [line.split() for line in shown.stdout.splitlines()]
    assert "rules that matched nothing in this time, and so prove nothing: idle" in shown.stdout
    assert "一度も該当していないルール: idle" in CliRunner().invoke(main, place).stdout
    data = json.loads(CliRunner().invoke(main, [*place, "--json"]).stdout)
    by_rule = {each["rule"]: each for each in data["rules"]}
    assert by_rule["trial"] == {
        "rule": "trial", "in_force": True, "monitor": True, "matched": 0, "watched": 3, "held": 0, "refused": 0,
        "waived": 0, "overridden": 0, "cancelled": 0, "mean_wait_s": None, "proves_nothing": False,
    }  # fmt: skip
    assert by_rule["no"]["in_force"] is False


def test_the_command_without_a_policy(counted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["log", "rules", "--state", str(counted), "--since", "2026-03-01"])
    assert result.exit_code == 0, result.output
    assert "wait       3         0" in result.stdout
    assert CliRunner().invoke(main, ["log", "rules"]).exit_code == 2
