"""Backup and restore rehearsed: under load, of the real process; and every way in which a backup can be of no use."""

from __future__ import annotations

import json
import smtplib
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.store.instance import Instance
from gateway.store.keys import MasterKey
from tests.process import Gateway, gateway, mail, next_hop, wait_for

LARGE = (b"0123456789abcdef" * 4 + b"\r\n") * 2_000  # above INLINE_LIMIT: in a segment


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def send(port: int, subject: str, body: bytes = b"hello\r\n", to: str = "a@club.example.com") -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("office@sports.example.jp", [to], mail([to], subject, body))


def load(running: Gateway, stop: threading.Event) -> list[str]:
    """Send mails, each third one large, until told to stop or 400 are sent; return the subjects that got 250."""
    sent: list[str] = []
    while not stop.is_set() and len(sent) < 400:
        subject = f"load{len(sent)}"
        send(running.smtp_port, subject, LARGE if len(sent) % 3 == 0 else b"hello\r\n")
        sent.append(subject)
    return sent


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A state directory with a held mail (large body), and its backup at `backup`."""
    with next_hop() as hop, gateway(tmp_path, hop.port, window="1h") as running:
        send(running.smtp_port, "kept", LARGE)
        result = running.cli("backup", "--config", str(running.config), str(tmp_path / "backup"))
        assert "NOT in this backup" in result.stderr
        running.stop()
    return tmp_path / "backup"


def restored(tmp_path: Path, backup: Path, *options: str, key: bool = True) -> Result:
    """Restore into a fresh state directory that holds the key, as an admin would have put it there."""
    state = tmp_path / "new"
    state.mkdir(exist_ok=True)
    if key and not (state / "master.key").exists():
        (state / "master.key").touch(0o600)
        (state / "master.key").write_bytes((tmp_path / "var" / "master.key").read_bytes())
    return run("restore", "--state", state, *options, backup)


def test_a_backup_under_load_is_consistent_and_what_was_open_waits_for_an_admin(tmp_path: Path) -> None:
    stop, sent = threading.Event(), list[str]()
    with next_hop() as hop, gateway(tmp_path, hop.port, window="1s") as running:
        worker = threading.Thread(target=lambda: sent.extend(load(running, stop)))
        worker.start()
        wait_for(lambda: len(hop.taken) >= 3, "mail to flow")
        running.cli("backup", "--config", str(running.config), str(tmp_path / "backup"))
        stop.set()
        worker.join()
        wait_for(lambda: len(hop.taken) == len(sent), "all mail of the running service")
        running.stop()

        (tmp_path / "var").rename(tmp_path / "lost")
        (tmp_path / "var").mkdir()
        (tmp_path / "lost" / "master.key").rename(tmp_path / "var" / "master.key")
        told = running.cli("restore", "--config", str(running.config), str(tmp_path / "backup"))
        assert "an unbroken chain" in told.stdout
        taken_before = len(hop.taken)
        running.start()
        held = running.cli_json("held", "list")
        assert held
        waiting = [r for message in held for r in message["recipients"] if r["state"] == "held"]
        assert all(r["perhaps"] and "restored from a backup" in r["reply"] for r in waiting)
        assert len(hop.taken) == taken_before, "nothing leaves by itself"
        one = held[0]["queue_id"]
        running.cli("held", "release", one, "--config", str(running.config))
        wait_for(lambda: len(hop.taken) == taken_before + 1, "the mail that the admin released")
        send(running.smtp_port, "after")
        wait_for(lambda: b"Subject: after" in hop.taken[-1].header, "new mail")
        assert len(hop.taken) == taken_before + 2
        assert running.cli("log", "verify", "--config", str(running.config)).returncode == 0
        running.stop()


def test_resume_lets_mail_go_on_as_it_was(made: Path, tmp_path: Path) -> None:
    assert restored(tmp_path, made, "--resume").exit_code == 0
    (message,) = json.loads(run("held", "list", "--state", tmp_path / "new", "--json").stdout)
    assert not message["recipients"][0]["perhaps"]
    assert message["recipients"][0]["due_at"] < "2100"


def test_bodies_are_opened_and_counted_and_quick_says_that_they_were_not(made: Path, tmp_path: Path) -> None:
    assert "bodies not opened" in restored(tmp_path, made, "--quick").output
    (tmp_path / "new" / "sekisho.db").unlink()
    (tmp_path / "new").rename(tmp_path / "first")
    result = restored(tmp_path, made)
    assert (result.exit_code, "1 recipients were open" in result.output) == (0, True)


@pytest.mark.parametrize(
    "damage", ["manifest", "manifest cut", "database", "body", "body gone", "names outside"]
)
def test_a_damaged_backup_is_named_and_leaves_no_database(made: Path, tmp_path: Path, damage: str) -> None:
    (body,) = [path for path in (made / "segments").rglob("*") if path.is_file()]
    manifest = made / "manifest.json"
    file = {"database": made / "sekisho.db", "body": body, "body gone": body}.get(damage, manifest)
    octets = bytearray(file.read_bytes())
    if damage == "body gone":
        file.unlink()
    elif damage == "manifest cut":
        file.write_bytes(octets[:-20])
    elif damage == "names outside":
        file.write_bytes(bytes(octets).replace(b'"path": "segments', b'"path": "../segments'))
    else:
        octets[len(octets) // 2] ^= 1
        file.write_bytes(octets)
    result = restored(tmp_path, made)
    assert result.exit_code == 1
    assert file.name in result.output
    assert not (tmp_path / "new" / "sekisho.db").exists()


def test_another_master_key_is_refused_by_its_id(made: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    other = MasterKey.create(tmp_path / "new" / "master.key")
    result = restored(tmp_path, made)
    assert (result.exit_code, other.key_id in result.output) == (1, True)
    assert not (tmp_path / "new" / "restoring").exists()


def test_without_a_key_nothing_is_restored(made: Path, tmp_path: Path) -> None:
    result = restored(tmp_path, made, key=False)
    assert (result.exit_code, "master.key cannot be read" in result.output) == (1, True)


def test_a_state_directory_that_is_not_empty_is_left_alone(made: Path, tmp_path: Path) -> None:
    before = (tmp_path / "var" / "sekisho.db").read_bytes()
    result = run("restore", "--state", tmp_path / "var", made)
    assert (result.exit_code, "is not empty" in result.output) == (1, True)
    assert (tmp_path / "var" / "sekisho.db").read_bytes() == before


def test_a_running_service_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    serving = Instance(tmp_path / "new", exclusive=True)
    result = restored(tmp_path, made)
    serving.close()
    assert (result.exit_code, "another sekisho serve" in result.output) == (1, True)


def test_a_restore_that_was_cut_off_can_be_run_again(made: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / "restoring" / "bodies").mkdir(parents=True)
    (tmp_path / "new" / "restoring" / "sekisho.db").write_text("half of it")
    assert restored(tmp_path, made).exit_code == 0


def test_the_key_travels_only_when_asked(made: Path, tmp_path: Path) -> None:
    assert not (made / "master.key").exists()
    result = run("backup", "--state", tmp_path / "var", "--with-key", tmp_path / "keyed")
    assert (result.exit_code, "IS in this backup" in result.output) == (0, True)
    assert (tmp_path / "keyed" / "master.key").stat().st_mode & 0o777 == 0o600
    assert restored(tmp_path, tmp_path / "keyed", key=False).exit_code == 0


def test_a_backup_never_overwrites_and_leaves_nothing_half_made(made: Path, tmp_path: Path) -> None:
    result = run("backup", "--state", tmp_path / "var", made)
    assert (result.exit_code, "exists" in result.output) == (1, True)
    result = run("backup", "--state", tmp_path / "var", tmp_path / "none" / "deep")
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_body_that_is_lost_is_told_and_the_rest_is_backed_up(made: Path, tmp_path: Path) -> None:
    (segment,) = (tmp_path / "var" / "segments").iterdir()
    segment.unlink()
    with closing(sqlite3.connect(tmp_path / "var" / "sekisho.db")) as database:
        ((queue_id,),) = database.execute("SELECT queue_id FROM bodies").fetchall()
    result = run("backup", "--state", tmp_path / "var", tmp_path / "second")
    assert (result.exit_code, f"the body of {queue_id} is not in the backup" in result.output) == (1, True)
    assert restored(tmp_path, tmp_path / "second").exit_code == 1


def test_a_chain_that_was_altered_is_not_restored(made: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "var" / "sekisho.db")) as database:
        database.execute("UPDATE events SET at = at + 1 WHERE seq = 2")
        database.commit()
    assert run("backup", "--state", tmp_path / "var", tmp_path / "altered").exit_code == 0
    result = restored(tmp_path, tmp_path / "altered")
    assert (result.exit_code, "the event chain in the backup is broken" in result.output) == (1, True)
