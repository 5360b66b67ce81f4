"""Secrets stay where they belong, and the process gives up what it does not need: seen from outside, on the real process."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import ROOT, Gateway, environment, mail, next_hop

MARK = "hunter2MARKhunter2MARKhunter2MAR"  # 32 octets, so that it can be a master key too
KEY_TEXT = base64.b64encode(MARK.encode()).decode()
UNIT = ROOT / "deploy" / "systemd" / "sekisho.service"


def written(folder: Path) -> bytes:
    return b"".join(
        path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "secret"
    )


def guess(port: int) -> None:
    """Sign in wrongly, and talk nonsense around a password."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        for line in (f"AUTH PLAIN {MARK}", f"AUTH {MARK}", f"AUTH LOGIN {MARK} {MARK}", f"X{MARK}"):
            client.docmd(line)
    for line in (f"PROXY TCP4 {MARK} 1", f"XCLIENT LOGIN={MARK} NAME={MARK}"):
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            client.docmd(line)


def test_no_secret_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(MARK)
    with next_hop() as hop:
        running = Gateway(tmp_path, hop.port)
        running.write()
        text = running.config.read_text().replace(
            "tls: 'off'", f"tls: 'off', username: u, password_file: '{tmp_path / 'secret'}'"
        )
        running.config.write_text(text)
        monkeypatch.setattr(
            "tests.process.environment", lambda: {**environment(), "SEKISHO_MASTER_KEY": KEY_TEXT}
        )
        running.start()
        assert running.process is not None
        try:
            proc = Path(f"/proc/{running.process.pid}")
            assert KEY_TEXT.encode() not in (proc / "environ").read_bytes()
            assert MARK.encode() not in (proc / "cmdline").read_bytes()
            with smtplib.SMTP("127.0.0.1", running.smtp_port) as client:
                to = ["a@club.example.com"]
                client.sendmail("office@sports.example.jp", to, mail(to, "x"))
            guess(running.smtp_port)
            shown = running.get("/metrics")[1] + running.get("/readyz")[1]
            core = [line for line in (proc / "limits").read_text().splitlines() if "core file" in line]
            assert re.search(r"size +0 +0 ", core[0])
        finally:
            running.stop(signal.SIGTERM)
    said = written(tmp_path) + shown.encode()
    for secret in (MARK.encode(), KEY_TEXT.encode(), MARK.encode().hex().encode()):
        assert secret not in said


@pytest.mark.parametrize("value", [f"{MARK}!", MARK + "A=", f"{MARK},{MARK}"])
def test_a_broken_key_in_the_environment_is_not_repeated(tmp_path: Path, value: str) -> None:
    (tmp_path / "sekisho.yaml").write_text("hostname: gw.example.jp\n")
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(tmp_path / "sekisho.yaml")]
    ended = subprocess.run(
        command,
        env={**environment(), "SEKISHO_MASTER_KEY": value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert MARK not in ended.stdout + ended.stderr


BECOME = """
import socket, sys
from pathlib import Path
from gateway.cli.confine import become, no_dumps
no_dumps()
become("nobody", Path(sys.argv[1]))
socket.create_server(("127.0.0.1", 0)).close()
low = socket.socket()
low.bind(("127.0.0.9", 81))
import os
for gone in (lambda: os.setuid(0), lambda: os.chown(sys.argv[1], 0, 0), lambda: os.kill(1, 0)):
    try:
        gone()
    except PermissionError:
        continue
    print("STILL ROOT")
import resource
print("core", resource.getrlimit(resource.RLIMIT_CORE), "ids", os.getresuid(), os.getresgid(), os.getgroups())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_becomes_another_user_and_keeps_only_low_ports(tmp_path: Path) -> None:
    state = tmp_path / "var"
    state.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", BECOME, str(state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "STILL ROOT" not in ended.stdout
    assert "core (0, 0) ids (65534, 65534, 65534) (65534, 65534, 65534)" in ended.stdout
    assert state.stat().st_uid == 65534


@pytest.mark.parametrize(("name", "said"), [("no-such-user", "there is no user"), ("root", "it names root")])
def test_a_user_that_cannot_be_is_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "sekisho.yaml").write_text(f"hostname: gw.example.jp\nrun_as: {name}\n")
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(tmp_path / "sekisho.yaml")]
    ended = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, said in ended.stderr) == (1, True)


def test_the_unit_has_the_exposure_that_the_docs_state() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is absent")
    stated = re.search(r"exposure level of (\d+\.\d)", (ROOT / "docs" / "operations.md").read_text())
    assert stated is not None
    ended = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level[^:]*: (\d+\.\d)", ended.stdout)
    assert found is not None, ended.stderr
    assert float(found[1]) <= float(stated[1])
