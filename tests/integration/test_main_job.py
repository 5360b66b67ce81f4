"""The main job on the real process: thirty outside addresses in To go in, nobody's address comes out."""

from __future__ import annotations

import re
import signal
import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

OFFICE = "office@sports.example.jp"
CLERK = "clerk@city.example.lg.jp"
CITIZENS = [f"citizen{number:02d}@example.com" for number in range(30)]


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="3s") as running:
        yield running


def submit(gw: Gateway, to: list[str], raw: bytes) -> str:
    """Send over SMTP and return the queue id the 250 named."""
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo("client.example")
        client.mail(OFFICE)
        for recipient in to:
            code, text = client.rcpt(recipient)
            assert code == 250, text
        code, text = client.data(raw)
    assert code == 250, text
    found = re.search(rb"\b([0-9A-Z]{10,})\b", text)
    assert found, text
    return found[1].decode()


def states(gw: Gateway, queue_id: str) -> dict[str, str]:
    """Return recipient -> state as the command line tells it."""
    shown = gw.cli("held", "show", queue_id, "--json", "--config", str(gw.config)).stdout
    return dict(re.findall(r'"address": "([^"]+)".*?"state": "([^"]+)"', shown, re.DOTALL))


def test_thirty_outside_addresses_leave_after_the_window_and_nobody_sees_another(
    gw: Gateway, hop: NextHop
) -> None:
    raw = mail([*CITIZENS, CLERK], "kyoshitsu", body="本文です\r\n".encode() + b".dot\r\n..\r\nend\r\n")
    begin = time.monotonic()
    submit(gw, [*CITIZENS, CLERK], raw)
    wait_for(lambda: CLERK in hop.recipients(), "the colleague's copy")
    assert time.monotonic() - begin < 3, "the colleague's copy must not wait for the window"
    assert not set(CITIZENS) & set(hop.recipients())

    wait_for(lambda: set(CITIZENS) <= set(hop.recipients()), "the citizens' copies")
    assert time.monotonic() - begin >= 3, "left before the window was over"
    for taken in hop.taken:
        outside = set(taken.recipients) & set(CITIZENS)
        if outside:
            assert not [address for address in CITIZENS if address.encode() in taken.header]
            assert not outside - set(CITIZENS)
        elif CLERK in taken.recipients:
            assert CITIZENS[0].encode() in taken.header, "inside, the original header section stays"
        if taken.sender:  # not our own notices
            assert taken.body == raw.partition(b"\r\n\r\n")[2]
    assert sorted(address for address in hop.recipients() if address in CITIZENS) == sorted(CITIZENS)


def test_the_notice_leads_to_a_page_and_looking_changes_nothing(gw: Gateway, hop: NextHop) -> None:
    gw.stop()
    gw.window = "20s"
    gw.write()
    policy = gw.folder / "policies" / "default.yaml"
    policy.write_text(policy.read_text().replace("hold: 20s", "hold: 20s, notify: [sender]"))
    gw.start()
    queue_id = submit(gw, CITIZENS, mail(CITIZENS, "cancel-me"))
    notice = wait_for(lambda: next((m for m in hop.taken if OFFICE in m.recipients), None), "the hold notice")
    assert notice.sender == ""
    assert b"Auto-Submitted: auto-generated" in notice.header
    link = re.search(
        rf"http://127\.0\.0\.1:{gw.web_port}(/m/[\w.~-]+)", notice.raw.replace(b"=\r\n", b"").decode()
    )
    assert link, notice.raw
    status, page = gw.get(link[1])
    assert status == 200
    assert CITIZENS[7] in page
    assert set(states(gw, queue_id).values()) == {"held"}, "looking changes nothing"


def test_the_command_line_cancels_and_releases(gw: Gateway, hop: NextHop) -> None:
    gw.stop()
    gw.window = "1h"
    gw.write()
    gw.start()
    first = submit(gw, CITIZENS, mail(CITIZENS, "first"))
    second = submit(gw, CITIZENS, mail(CITIZENS, "second"))
    gw.cli("held", "cancel", first, "--config", str(gw.config))
    assert set(states(gw, first).values()) == {"cancelled"}
    gw.cli("held", "release", second, "--config", str(gw.config))
    wait_for(lambda: set(CITIZENS) <= set(hop.recipients()), "the released copies")
    assert all(b"Subject: second" in taken.header for taken in hop.taken if CITIZENS[0] in taken.recipients)
    wait_for(lambda: set(states(gw, second).values()) == {"delivered"}, "the record of the delivery")
    assert gw.cli("held", "cancel", second, "--config", str(gw.config), check=False).returncode == 1
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def test_a_hold_survives_kill_9(gw: Gateway, hop: NextHop) -> None:
    submit(gw, CITIZENS[:2], mail(CITIZENS[:2], "survivor"))
    gw.stop(signal.SIGKILL)
    assert not hop.taken
    gw.start()
    wait_for(lambda: set(CITIZENS[:2]) <= set(hop.recipients()), "the held mail after the restart")


def test_a_broken_policy_never_replaces_a_working_one(gw: Gateway) -> None:
    policy = gw.folder / "policies" / "default.yaml"
    good = policy.read_text()
    policy.write_text(good.replace("visible_external", "visible_externl"))
    wait_for(lambda: gw.metric("sekisho_policy_stale") == 1, "the reload of the broken policy")
    assert gw.get("/readyz")[0] == 503
    assert gw.get("/healthz")[0] == 200
    submit(gw, CITIZENS[:2], mail(CITIZENS[:2], "still-guarded"))
    policy.write_text(good.replace("hold: 3s", "hold: 2h"))
    wait_for(lambda: gw.metric("sekisho_policy_stale") == 0, "the reload of the mended policy")
    assert gw.get("/readyz")[0] == 200
    queue_id = submit(gw, CITIZENS[:2], mail(CITIZENS[:2], "two-hours"))
    assert set(states(gw, queue_id).values()) == {"held"}


def test_it_stops_cleanly(gw: Gateway) -> None:
    assert gw.stop(signal.SIGINT) == 0
    gw.start()
    assert gw.stop(signal.SIGTERM) == 0
    assert "Traceback" not in gw.log_text
