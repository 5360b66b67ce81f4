"""`sekisho policy replay` and `diff`: figures from a store, exit codes, both languages, nothing that was not asked for."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.clock import utc_now
from gateway.config.policies import read_policy
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.spool.sql import open_spool
from gateway.spool.values import NewMessage
from gateway.store.keys import MasterKey

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "policies"


def sekisho(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, arguments)])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Three mails as the shipped policy decided them: to two outside, to one outside, and one without a record."""
    folder = tmp_path / "state"
    folder.mkdir()
    asyncio.run(_fill(folder, MasterKey.create(folder / "master.key")))
    return folder


async def _fill(folder: Path, master: MasterKey) -> None:
    spool = open_spool(folder, master, serve=True)
    policy = read_policy(SHIPPED)
    for number, people in enumerate(
        (["p@example.com", "q@example.com"], ["p@example.com"], ["p@example.com"])
    ):
        at = utc_now() - timedelta(days=1)
        envelope = Envelope(
            parse_path("desk@sports.example.jp"), tuple(map(parse_path, people)), Client("192.0.2.1")
        )
        raw = f"From: desk@sports.example.jp\r\nTo: {', '.join(people)}\r\nSubject: 内緒\r\n\r\nbody\r\n".encode()
        facts = gather(envelope, raw)
        decision = decide(facts, policy, at)
        await spool.accept(
            NewMessage(envelope, raw, decision, at, facts.subject, facts=None if number == 2 else facts)
        )
    await spool.close()


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The shipped policy with individual copies, and half an hour for mail to two or more."""
    folder = tmp_path / "changed"
    folder.mkdir()
    text = (SHIPPED / "default.yaml").read_text("utf-8").replace("recipients: bcc", "recipients: individual")
    rule = "  - {id: more, reason: x, when: {external: {at_least: 2}}, then: {hold: 30m}}\n"
    (folder / "default.yaml").write_text(text + rule, "utf-8")
    return folder


def test_the_policy_in_force_changes_nothing(state: Path) -> None:
    result = sekisho("replay", "--state", state, "--policies", SHIPPED, "--language", "en")
    assert result.exit_code == 0, result.output
    assert "2 mails (3 recipients): 2 the same, 0 differ" in result.stdout
    assert "1 not tried: no facts were recorded" in result.stdout
    assert "held for a time: 3 -> 3" in result.stdout


def test_what_would_differ_is_told_without_subjects(state: Path, changed: Path) -> None:
    result = sekisho("replay", "--state", state, "--policies", changed, "--since", "2d", "--language", "en")
    assert result.exit_code == 1
    assert "1 differ (1 stricter" in result.stdout
    assert "hold: 10m -> 30m (2 recipients)" in result.stdout
    assert "form: bcc -> individual (2 recipients)" in result.stdout
    assert "more: 0 / 1, differs in 1" in result.stdout
    assert "desk@sports.example.jp" in result.stdout
    assert "内緒" not in result.stdout
    shown = sekisho("replay", "--state", state, "--policies", changed, "--subjects").stdout
    assert "内緒" in shown
    assert "宛先の見せ方: bcc -> individual (宛先2件)" in shown


def test_json_has_everything(state: Path, changed: Path) -> None:
    data = json.loads(sekisho("replay", "--state", state, "--policies", changed, "--json").stdout)
    assert (data["mails"], data["differ"], data["stricter"], data["untold"]) == (2, 1, 1, 0)
    assert data["skipped"] == {"unrecorded": 1}
    assert data["fates"]["held"] == {"then": 3, "now": 3}
    assert data["forms"]["individual"] == {"then": 0, "now": 2}
    assert data["rules"]["more"]["gained"] == 1
    assert data["senders"] == {"desk@sports.example.jp": 1}
    assert "subject" not in data["mails_that_differ"][0]


def test_a_time_without_mail_is_the_same(state: Path, changed: Path) -> None:
    result = sekisho("replay", "--state", state, "--policies", changed, "--since", "60d", "--until", "40d")
    assert result.exit_code == 0
    assert "メール0通" in result.stdout


def test_diff_of_past_mail_and_of_cases(state: Path, changed: Path) -> None:
    past = sekisho("diff", SHIPPED, changed, "--state", state, "--language", "en")
    assert past.exit_code == 1
    assert "1 differ" in past.stdout
    cases = sekisho("diff", SHIPPED, changed, "--language", "en")
    assert cases.exit_code == 1
    assert "default.cases.yaml: thirty class members in To" in cases.stdout
    assert "form: bcc -> individual" in cases.stdout
    assert sekisho("diff", SHIPPED, SHIPPED).exit_code == 0
    assert sekisho("diff", SHIPPED, SHIPPED, "--cases", "--state", state).exit_code == 0


def test_wrong_use_ends_with_2(state: Path, tmp_path: Path) -> None:
    assert sekisho("replay", "--policies", SHIPPED).exit_code == 2
    assert sekisho("replay", "--state", tmp_path, "--policies", SHIPPED).exit_code == 2
    assert sekisho("replay", "--state", state, "--since", "yesterday").exit_code == 2
    assert sekisho("diff", SHIPPED, "/no/such/folder").exit_code == 2


def test_a_broken_policy_ends_with_1(state: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nrulez: []\n", encoding="utf-8")
    result = sekisho("replay", "--state", state, "--policies", tmp_path)
    assert result.exit_code == 1
    assert "did you mean 'rules'" in result.output


def test_diff_of_folders_without_cases_says_nothing_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text((SHIPPED / "default.yaml").read_text("utf-8"), "utf-8")
    result = sekisho("diff", tmp_path, tmp_path)
    assert result.exit_code == 2
    assert "neither folder has cases" in result.stderr
    assert sekisho("diff", tmp_path, SHIPPED).exit_code == 0
