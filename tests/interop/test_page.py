"""The page behind the link in a real browser: it shows the truth, works with our headers, and looking cancels nothing."""

from __future__ import annotations

import re
import smtplib
import subprocess
from pathlib import Path

import pytest

from tests.interop.conftest import require
from tests.process import Gateway, NextHop, gateway, mail, wait_for

pytestmark = pytest.mark.interop

OFFICE = "office@sports.example.jp"
CITIZENS = [f"citizen{number:02d}@example.com" for number in range(30)]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
)


def browse(url: str, profile: Path, *flags: str) -> str:
    """Open a page in Chromium and return its document as the browser sees it."""
    chromium = require("chromium")
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *flags, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def link_in(notice: bytes, gw: Gateway) -> str:
    from email import message_from_bytes
    from email.message import EmailMessage
    from email.policy import default

    parsed = message_from_bytes(notice, _class=EmailMessage, policy=default)
    part = parsed.get_body(("plain",))
    assert part is not None
    found = re.search(rf"http://127\.0\.0\.1:{gw.web_port}/m/[\w.~-]+", part.get_content())
    assert found
    return found[0]


def test_the_page_in_a_browser(hop: NextHop, tmp_path: Path) -> None:
    require("chromium")
    with gateway(tmp_path, hop.port, window="1h") as gw:
        policy = tmp_path / "policies" / "default.yaml"
        policy.write_text(policy.read_text().replace("hold: 1h", "hold: 1h, notify: [sender]"))
        wait_for(lambda: gw.metric('sekisho_policy_reloads_total{result="changed"}') >= 2, "the new policy")
        with smtplib.SMTP("127.0.0.1", gw.smtp_port) as client:
            client.sendmail(OFFICE, CITIZENS, mail(CITIZENS, "kyoshitsu"))
        notice = wait_for(
            lambda: next((m for m in hop.taken if OFFICE in m.recipients), None), "the hold notice"
        )
        url = link_in(notice.raw, gw)
        document = browse(url, tmp_path / "profile", "--dump-dom")
        assert "取り消す" in document
        assert all(citizen in document for citizen in CITIZENS)
        picture = tmp_path / "page.png"
        browse(url, tmp_path / "profile", "--window-size=500,900", f"--screenshot={picture}")
        assert picture.stat().st_size > 20_000, "a page without its stylesheet, or none"
        held = gw.cli_json("held", "list")
        assert len(held) == 1, "looking changes nothing"
