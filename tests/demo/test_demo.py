"""`sekisho demo` as a process: what it prints works, the sample arrives at the colleague, and Ctrl-C ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.process import ROOT, environment, free_port, wait_for


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_demo_shows_what_it_promises(tmp_path: Path) -> None:
    smtp, web = free_port(), free_port()
    sekisho = [sys.executable, "-m", "gateway.cli", "demo"]
    ports = [f"--smtp-port={smtp}", f"--web-port={web}", f"--state={tmp_path / 'var'}"]
    printed = tmp_path / "out"
    with printed.open("wb") as out:
        demo = subprocess.Popen([*sekisho, *ports], cwd=ROOT, stdout=out, stderr=out, env=environment())
    try:
        wait_for(lambda: "is running" in printed.read_text() or demo.poll() is not None, "the demo's words")
        sent = subprocess.run(
            [*sekisho, "send", f"--smtp-port={smtp}"],
            cwd=ROOT,
            capture_output=True,
            timeout=60,
            env=environment(),
        )
        assert sent.stdout.startswith(b"250 "), sent
        inbox = f"http://127.0.0.1:{web}/demo"
        wait_for(lambda: "/m/" in page(inbox), "the hold notice")
        shown = page(inbox)
        assert "manager@sports.example.jp" in shown
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0, printed.read_text()
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
