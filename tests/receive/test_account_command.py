"""`sekisho account` through click, on a real file."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli.account import account
from gateway.people.passwords import hasher
from gateway.receive.accounts_file import read


def run(file: Path, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(account, ["--file", str(file), *arguments], input=stdin)


def add(file: Path, login: str = "alice") -> Result:
    return run(file, "add", login, "-a", f"{login}@example.jp", "--password-stdin", stdin="correct horse\n")


def test_add_keeps_a_hash_in_a_file_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    assert add(file).exit_code == 0
    (alice,) = read(file)
    assert hasher().verify(alice.password, "correct horse")
    assert "correct horse" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_passwd_suspend_resume(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    add(file)
    add(file, "bob")
    assert run(file, "passwd", "ALICE", "--password-stdin", stdin="another one\n").exit_code == 0
    assert hasher().verify(read(file)[0].password, "another one")
    assert run(file, "suspend", "alice").exit_code == 0
    assert [known.suspended for known in read(file)] == [True, False]
    assert run(file, "resume", "alice").exit_code == 0
    assert not read(file)[0].suspended


def test_list_tells_everything_but_the_hash(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    add(file)
    run(file, "suspend", "alice")
    assert run(file, "list").output == "alice\tsuspended\talice@example.jp\n"
    (listed,) = json.loads(run(file, "list", "--json").output)
    assert listed == {
        "login": "alice",
        "addresses": ["alice@example.jp"],
        "suspended": True,
        "language": None,
    }


def test_what_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    add(file)
    before = file.read_bytes()
    assert "there already" in add(file, "Alice").output
    assert "no account nobody" in run(file, "suspend", "nobody").output
    assert "no account nobody" in run(file, "passwd", "nobody", "--password-stdin", stdin="x").output
    short = run(file, "add", "bob", "-a", "b@example.jp", "--password-stdin", stdin="short\n")
    assert short.exit_code == 1
    assert "at least 8" in short.output
    wrong = run(file, "add", "bob", "-a", "no address", "--password-stdin", stdin="long enough\n")
    assert wrong.exit_code == 1
    assert "not an address" in wrong.output
    assert file.read_bytes() == before


def test_the_file_is_the_one_the_settings_name(tmp_path: Path) -> None:
    config = tmp_path / "sekisho.yaml"
    config.write_text("hostname: gate.example.jp\naccounts: people.yaml\n")
    arguments = ["--config", str(config), "add", "alice", "-a", "@example.jp", "--password-stdin"]
    assert CliRunner().invoke(account, arguments, input="correct horse\n").exit_code == 0
    assert [known.login for known in read(tmp_path / "people.yaml")] == ["alice"]


def test_the_file_may_stand_behind_the_verb(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    add(file)
    (tmp_path / "sekisho.yaml").write_text("hostname: gw.example.jp\naccounts: accounts.yaml\n")
    for option in (["--file", str(file)], ["--config", str(tmp_path / "sekisho.yaml")]):
        assert "alice" in CliRunner().invoke(account, ["list", *option]).output
    elsewhere = CliRunner().invoke(account, ["--file", str(file), "list", "--file", str(tmp_path / "none")])
    assert (elsewhere.exit_code, elsewhere.output) == (0, "")
