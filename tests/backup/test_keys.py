"""`sekisho keys`: rotation beside the running gateway, cut off at each step, and the end of the old key."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import keys as keys_module
from gateway.cli import main
from gateway.links import LinkInvalid, Links
from gateway.store.keys import KEY_BYTES, MasterKey, MasterKeyError
from tests.backup.test_backup import LARGE, restored, send
from tests.process import ROOT, environment, gateway, next_hop, wait_for

CHILD = "import gateway.cli.keys as k; k.SETTLE_S = 0; from tests.crash import child; child.main()"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory with two held mails, one of them large; nobody serves from it."""
    monkeypatch.setattr(keys_module, "SETTLE_S", 0)
    with next_hop() as hop, gateway(tmp_path, hop.port, window="1h") as running:
        send(running.smtp_port, "small")
        send(running.smtp_port, "large", LARGE)
        running.stop()
        yield tmp_path / "var"


def listed(state: Path) -> dict[str, int]:
    return {
        row["key_id"]: row["messages"]
        for row in json.loads(run("keys", "list", "--state", state, "--json").stdout)
    }


def test_rotation_beside_the_running_gateway(tmp_path: Path) -> None:
    with next_hop() as hop, gateway(tmp_path, hop.port, window="1h") as running:
        send(running.smtp_port, "before", LARGE)
        old = MasterKey.load(tmp_path / "var" / "master.key", {})
        link = Links(old.derive("links"), f"http://127.0.0.1:{running.web_port}", timedelta(days=7))
        running.cli("keys", "rotate", "--config", str(running.config))
        assert '"master-key.adopted"' in running.log_text
        send(running.smtp_port, "after")
        messages = {message["subject"]: message["queue_id"] for message in running.cli_json("held", "list")}
        (current,) = [row for row in running.cli_json("keys", "list") if row["messages"]]
        assert (current["current"], current["messages"]) == (True, 2)
        assert current["key_id"] != old.key_id
        url = link.url(messages["before"], "office@sports.example.jp")
        assert running.get(url.partition(str(running.web_port))[2])[0] == 200, (
            "a link in a notice sent before"
        )
        for queue_id in messages.values():
            running.cli("held", "release", queue_id, "--config", str(running.config))
        wait_for(lambda: len(hop.taken) == 2, "mail from before and after the rotation")
        assert hop.taken[0].body == LARGE or hop.taken[1].body == LARGE
        running.cli("log", "verify", "--config", str(running.config))
        refused = running.cli("keys", "retire", "--config", str(running.config), check=False)
        assert (refused.returncode, "links in notices" in refused.stderr) == (1, True)
        running.cli("keys", "retire", "--now", "--config", str(running.config))
        assert running.stop() == 0
        running.start()
        running.cli("log", "verify", "--config", str(running.config))
        running.stop()


@pytest.mark.crash
@pytest.mark.parametrize(
    "step",
    [
        "gateway.store.keys:MasterKey.replace before",
        "gateway.store.keys:sync_directory before",
        "gateway.store.keys:MasterKey.replace after",
        "gateway.cli.keys:rewrap_all before",
        "gateway.spool.rekeying:_batch after",
        "gateway.cli.keys:rewrap_all after",
        "gateway.spool.sql:SqlSpool.note before",
    ],
)
def test_a_rotation_that_was_killed_loses_nothing_and_is_run_again(state: Path, step: str) -> None:
    command = [sys.executable, "-c", CHILD, "keys", "rotate", "--state", str(state)]
    killed = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment(), "KILL_AT": step},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert run("log", "verify", "--state", state).exit_code == 0
    result = run("keys", "rotate", "--state", state)
    assert result.exit_code == 0, result.output
    master = MasterKey.load(state / "master.key", {})
    assert {key_id: count for key_id, count in listed(state).items() if count} == {master.key_id: 2}
    assert run("keys", "retire", "--now", "--state", state).exit_code == 0
    assert run("log", "verify", "--state", state).exit_code == 0


def test_a_key_that_a_message_needs_is_not_retired(state: Path) -> None:
    MasterKey.load(state / "master.key", {}).successor().replace(state / "master.key")
    result = run("keys", "retire", "--now", "--state", state)
    assert (result.exit_code, "2 messages need" in result.output) == (1, True)


def test_a_backup_from_before_a_rotation_opens_while_the_old_key_is_kept(state: Path, tmp_path: Path) -> None:
    run("backup", "--state", state, tmp_path / "old")
    assert run("keys", "rotate", "--state", state).exit_code == 0
    assert restored(tmp_path, tmp_path / "old").exit_code == 0


def test_a_key_from_the_environment_is_rotated_with_the_environment(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (state / "master.key").read_bytes(), os.urandom(KEY_BYTES)
    (state / "master.key").unlink()
    monkeypatch.setenv("SEKISHO_MASTER_KEY", base64.b64encode(old).decode())
    result = run("keys", "rotate", "--state", state)
    assert (result.exit_code, "SEKISHO_MASTER_KEY_PREVIOUS" in result.output) == (1, True)
    monkeypatch.setenv("SEKISHO_MASTER_KEY_PREVIOUS", base64.b64encode(old).decode())
    monkeypatch.setenv("SEKISHO_MASTER_KEY", base64.b64encode(new).decode())
    assert run("keys", "rotate", "--state", state).exit_code == 0
    assert listed(state)[MasterKey(new).key_id] == 2
    assert not (state / "master.key").exists()


def test_a_rotation_is_an_event_that_names_who_and_which_keys(state: Path) -> None:
    run("keys", "rotate", "--state", state)
    (line,) = run("log", "query", "--state", state, "--kind", "key", "--json").stdout.splitlines()
    event = json.loads(line)
    assert event["detail"]["key"] == MasterKey.load(state / "master.key", {}).key_id
    assert event["reason"] == "by-admin"
    assert "admin" in line


def test_links_of_a_previous_key_are_good_and_those_of_a_strange_one_are_not() -> None:
    old, new, strange = (os.urandom(32) for _ in range(3))
    ring = Links([new, old], "https://gw.example.jp", timedelta(days=1))
    for secret in (old, new):
        url = Links(secret, "https://gw.example.jp", timedelta(days=1)).url("Q1", "a@sports.example.jp")
        assert ring.read(url.rpartition("/")[2]).queue_id == "Q1"
    token = Links(strange, "https://gw.example.jp", timedelta(days=1)).url("Q1", "x").rpartition("/")[2]
    with pytest.raises(LinkInvalid):
        ring.read(token)
    made = ring.url("Q1", "x").rpartition("/")[2]
    assert Links(new, "https://gw.example.jp", timedelta(days=1)).read(made).queue_id == "Q1"


def test_a_key_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    first = MasterKey.create(path)
    second = first.successor()
    second.replace(path)
    assert (path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (0o600, [path])
    assert MasterKey.load(path, {}).key_ids == (second.key_id, first.key_id)
    path.write_bytes(bytes(9 * KEY_BYTES))
    with pytest.raises(MasterKeyError):
        MasterKey.load(path, {})
