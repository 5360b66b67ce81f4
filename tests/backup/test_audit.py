"""`make audit`: a vulnerable pin, a service that is away and a package that nobody knows all end with 1, and are named."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.process import ROOT, free_port

TOOL = ROOT / ".venv" / "audit" / "bin" / "pip-audit"
SCRIPT = ROOT / "deploy" / "audit.sh"
HASH = "0" * 64
ADVISORY = {
    "id": "TEST-2026-1",
    "summary": "a made-up hole",
    "affected": [
        {
            "package": {"name": "example-parser", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
        }
    ],
}


class _Advisories(BaseHTTPRequestHandler):
    """Knows one hole: example-parser 1.0."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bad = (asked["package"]["name"], asked["version"]) == ("example-parser", "1.0")
        octets = json.dumps({"vulns": [ADVISORY]} if bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(octets)

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Advisories) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def audit(folder: Path, tool: Path, pins: str, *options: str) -> tuple[int, str]:
    """Audit a lock file of these pins; return exit status and everything printed."""
    lock = folder / "scratch.lock"
    lock.write_text("".join(f"{pin} --hash=sha256:{HASH}\n" for pin in pins.split()))
    command = [str(SCRIPT), str(tool), str(lock), *options]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    return done.returncode, done.stdout + done.stderr


def real_tool() -> Path:
    if not TOOL.exists():
        why = "make audit or make sbom was never run here: its tool has a venv of its own"
        pytest.fail(why) if os.environ.get("TEST_NO_SKIP") else pytest.skip(why)
    return TOOL


def test_a_vulnerable_pin_is_named_and_fails(tmp_path: Path, service: str) -> None:
    tool = real_tool()
    code, said = audit(tmp_path, tool, "example-parser==1.0 other==3.1", "-s", "osv", "--osv-url", service)
    assert (code, "TEST-2026-1" in said, "example-parser" in said) == (1, True, True)
    assert audit(tmp_path, tool, "example-parser==2.0 other==3.1", "-s", "osv", "--osv-url", service)[0] == 0


def test_a_service_that_is_away_fails(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}/"
    code, said = audit(tmp_path, real_tool(), "other==3.1", "-s", "osv", "--osv-url", away)
    assert (code, "cannot be reached" in said) == (1, True)


def test_what_could_not_be_looked_up_fails(tmp_path: Path) -> None:
    tool = tmp_path / "pip-audit"
    tool.write_text(
        "#!/bin/sh\necho 'Name  Skip Reason'\necho 'lost  not found on PyPI and could not be audited'\n"
    )
    tool.chmod(0o755)
    code, said = audit(tmp_path, tool, "lost==1.0")
    assert (code, "lost  not found" in said, "could not be looked up" in said) == (1, True, True)


def test_make_audit_runs_it_on_the_lock() -> None:
    assert "deploy/audit.sh $(VENV)/audit/bin/pip-audit requirements.lock" in (ROOT / "Makefile").read_text()
