"""`sekisho person`, beside a gateway that may run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.people import passwords
from gateway.spool.sql import open_spool
from gateway.store.keys import MasterKey
from tests.people.conftest import CHEAP, GOOD, OTHER

ADMIN = ("add", "root", "-r", "admin", "--password-stdin")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", lambda: CHEAP)


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    await open_spool(folder, MasterKey.create(folder / "master.key")).close()
    return folder


def run(state: Path, *words: str, typed: str = "", code: int = 0) -> Result:
    """Run a verb; `words` begin with it."""
    result = CliRunner().invoke(main, ["person", *words, "--state", str(state)], input=typed)
    assert result.exit_code == code, result.output
    return result


def test_people_come_and_go(state: Path) -> None:
    run(state, *ADMIN, typed=f"{GOOD}\n")
    run(state, "add", "ann", "-r", "sender@sports", "-a", "Ann@Example.jp", "--name", "安藤", "--no-password")
    run(state, "grant", "ann", "auditor", "approver")
    assert "approver auditor sender@sports" in run(state, "list", "ann").stdout
    run(state, "revoke", "ann", "auditor", "approver")
    run(state, "suspend", "ann")
    (ann,) = json.loads(run(state, "list", "安", "--json").stdout)
    assert ann["suspended"] is True
    assert ann["addresses"] == ["ann@example.jp"]
    assert ann["roles"] == ["sender@sports"]
    run(state, "resume", "ann")
    shown = json.loads(run(state, "show", "ann", "--json").stdout)
    assert (shown["password"], shown["second_factor"], shown["suspended"]) == (False, False, False)
    run(state, "remove", "ann")
    assert "no person ann" in run(state, "show", "ann", code=1).output


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("add", "ann", "-r", "boss"), "", "the roles are"),
        (("add", "ann", "-r", "approver@sports"), "", "approver has no group"),
        (("add", "ann", "-r", "sender", "--password-stdin"), "short\n", "too short"),
        (("add", "ann", "-r", "sender", "--password-stdin"), "password2026!!\n", "tried first"),
        (("add", "ann", "-r", "sender", "-a", "nobody"), GOOD, "not an address"),
        (("add", "ROOT", "-r", "sender", "--password-stdin"), f"{GOOD}\n", "is there already"),
        (("add", "ann", "-r", "sender", "--temporary", "--no-password"), "", "exclude each other"),
        (("suspend", "root"), "", "only administrator"),
        (("revoke", "root", "admin"), "", "there has to be a role"),
        (("password", "root", "--password-stdin"), f"{GOOD}\n", "used before"),
        (("suspend", "nobody"), "", "no person nobody"),
    ],
)
def test_what_is_refused_says_why(state: Path, words: tuple[str, ...], typed: str, said: str) -> None:
    run(state, *ADMIN, typed=f"{GOOD}\n")
    result = CliRunner().invoke(main, ["person", *words, "--state", str(state)], input=typed + "\n" + typed)
    assert result.exit_code in (1, 2)
    assert said in result.output
    assert "Traceback" not in result.output


def test_passwords_are_set_and_made(state: Path) -> None:
    run(state, *ADMIN, typed=f"{GOOD}\n")
    run(state, "password", "root", "--password-stdin", typed=f"{OTHER}\n")
    made = run(state, "password", "root", "--temporary")
    assert len(made.stdout.strip()) == 24
    assert made.stdout.count("-") == 4
    assert "changed the password" in made.stderr
    assert "no second factor" in run(state, "reset-totp", "root", code=1).output


def test_tokens_are_made_listed_and_revoked(state: Path) -> None:
    run(state, *ADMIN, typed=f"{GOOD}\n")
    made = run(state, "token", "make", "root", "--name", "report", "-s", "held:read", "-s", "log:read")
    assert made.stdout.startswith("sek_")
    (listed,) = json.loads(run(state, "token", "list", "root", "--json").stdout)
    assert listed["scopes"] == "held:read log:read"
    assert listed["number"] in made.stderr
    assert made.stdout.strip() not in run(state, "token", "list", "root").stdout
    run(state, "token", "revoke", "root", listed["number"])
    run(state, "token", "revoke", "root", listed["number"], code=1)
