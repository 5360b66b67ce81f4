"""What other processes do to a running gateway: it sees it, says so, and lives on."""

from __future__ import annotations

import re
import resource
import signal
import smtplib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.audit.entries import Entry, Question
from gateway.audit.log import EventLog
from gateway.cli.account import account
from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

OUTSIDE = [f"citizen{number}@example.com" for number in range(3)]
CANCELLED = 'sekisho_recipients_cancelled_total{reason="by-admin"}'


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


def events(gw: Gateway, kind: str) -> list[Entry]:
    with EventLog(gw.folder / "var") as log:
        return [entry for entry in log.query(Question(limit=1000)) if entry.kind == kind]


def test_a_change_of_the_accounts_is_an_event_without_a_hash(hop: NextHop, tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"

    def run(*arguments: str) -> None:
        done = CliRunner().invoke(account, ["--file", str(file), *arguments], input="correct horse\n")
        assert done.exit_code == 0, done.output

    with gateway(tmp_path, hop.port, extra="accounts: accounts.yaml\n") as gw:
        run("add", "tanaka", "-a", "@sports.example.jp", "--password-stdin")
        wait_for(lambda: len(events(gw, "account")) == 1, "the new account")
        run("suspend", "tanaka")
        run("passwd", "tanaka", "--password-stdin")
        wait_for(lambda: len(events(gw, "account")) > 1, "the suspension")
        first, *later = [str(entry.detail) for entry in events(gw, "account")]
        assert "{'tanaka': ['added']}" in first
        assert "suspended" in "".join(later)
        assert "argon2" not in first + "".join(later)


def test_a_cancel_by_the_command_line_is_counted(hop: NextHop, tmp_path: Path) -> None:
    with gateway(tmp_path, hop.port, window="1h") as gw:
        with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
            client.sendmail("office@sports.example.jp", OUTSIDE, mail(OUTSIDE))
        found = re.search(
            r'"queue_id": "(\w+)"', gw.cli("held", "list", "--json", "--config", str(gw.config)).stdout
        )
        assert found
        assert gw.metric(CANCELLED) == 0
        gw.cli("held", "cancel", found[1], "--config", str(gw.config))
        wait_for(lambda: gw.metric(CANCELLED) == 3, "three more cancelled recipients")
        time.sleep(6)  # the next look must not count them again
        assert gw.metric(CANCELLED) == 3


def test_a_store_that_is_locked_when_the_policy_changes_ends_nothing_and_loses_no_event(
    hop: NextHop, tmp_path: Path
) -> None:
    with gateway(tmp_path, hop.port) as gw:
        wait_for(lambda: len(events(gw, "policy")) == 1, "the first policy")
        lock = sqlite3.connect(gw.folder / "var" / "sekisho.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        gw.window = "3s"
        gw.write()
        wait_for(lambda: "event.waits" in gw.log_text, "the store to refuse the event")
        lock.execute("ROLLBACK")
        lock.close()
        wait_for(lambda: len(events(gw, "policy")) == 2, "the event of the second policy")
        assert gw.alive()


def test_a_flood_of_sighup_is_survived(hop: NextHop, tmp_path: Path) -> None:
    with gateway(tmp_path, hop.port) as gw:
        assert gw.process is not None
        for number in range(300):
            gw.window = f"{number + 1}s"
            if not number % 30:
                gw.write()
            gw.process.send_signal(signal.SIGHUP)
        gw.window = "1h"
        gw.write()
        gw.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
            client.sendmail("office@sports.example.jp", OUTSIDE, mail(OUTSIDE))
        assert hop.recipients() == []
        assert gw.stop() == 0


def test_a_store_that_takes_nothing_is_temporary_and_shows(hop: NextHop, tmp_path: Path) -> None:
    """RLIMIT_FSIZE is a disk that fills up in the middle: what was acknowledged stays, the rest is 4yz."""
    with gateway(tmp_path, hop.port, window="1h") as gw:
        assert gw.process is not None
        room = (gw.folder / "var" / "sekisho.db-wal").stat().st_size + 300_000
        resource.prlimit(gw.process.pid, resource.RLIMIT_FSIZE, (room, room))
        codes = [send(gw, b"x" * 70 + b"\r\n", lines) for lines in (600, 8000) * 10]
        assert codes.count(250) > 0
        assert set(codes) <= {250, 451, 452}
        assert 452 in codes
        assert gw.get("/readyz")[0] == 503
        gw.stop(signal.SIGKILL)
        gw.start()
        held = gw.cli_json("held", "list")
        assert len(held) == codes.count(250)
        gw.cli("log", "verify", "--config", str(gw.config))


def send(gw: Gateway, line: bytes, lines: int) -> int:
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo("client.example")
        client.mail("office@sports.example.jp")
        client.rcpt(OUTSIDE[0])
        return client.data(mail(OUTSIDE[:1], body=line * lines))[0]
