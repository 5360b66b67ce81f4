"""A disk that is really full, and one that is really read-only: a small file system of our own, mounted for the test.

Needs root and the right to mount; skipped elsewhere, failed where nothing may be skipped.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.orders import cannot
from tests.faults.sending import LARGE, SMALL, send
from tests.process import Gateway, NextHop, next_hop, wait_for

pytestmark = pytest.mark.crash

SIZE = 64 << 20
MARGIN = 32 << 20  # minimum_free_space in the first test; what comes in within a second fits in several times


def run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """Mount a file system of SIZE octets on `folder`."""
    folder.mkdir()
    if not run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)):
        cannot("no right to mount a file system")
    try:
        yield folder
    finally:
        assert run("umount", "-l", str(folder))


@contextmanager
def gateway_on(state: Path, hop: NextHop, extra: str) -> Iterator[Gateway]:
    gw = Gateway(state.parent, hop.port, window="2s", extra=extra)
    gw.write()
    gw.start()
    try:
        yield gw
    finally:
        if gw.process is not None:
            gw.stop(signal.SIGKILL)


def fill(state: Path, leave: int) -> Path:
    """Take all room but `leave` octets, and less than a page where nothing shall be left."""
    ballast = state / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(state)
        os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize - leave))
    return ballast


def test_below_the_margin_mail_is_refused_and_the_rest_leaves(tmp_path: Path) -> None:
    with (
        next_hop() as hop,
        mounted(tmp_path / "var") as state,
        gateway_on(state, hop, f"minimum_free_space: {MARGIN}\n") as gw,
    ):
        held = [f"held{n}@example.com" for n in range(5)]
        assert [send(gw, [address], LARGE)[0] for address in held] == [250] * 5
        ballast = fill(state, MARGIN * 3 // 4)
        disk = wait_for(lambda: checks(gw)["disk"] != "ok" and checks(gw)["disk"], "a red /readyz")
        assert disk == "less free space than minimum_free_space"
        assert gw.metric('sekisho_ready{check="disk"}') == 0
        for body in (SMALL, LARGE):
            code, text = refused(gw, body) or (250, b"")
            assert (code, text[:5]) == (452, b"4.3.1")
        wait_for(lambda: set(held) <= set(hop.recipients()), "what was held: deliveries go on")
        ballast.unlink()
        wait_for(lambda: refused(gw, SMALL) is None, "mail is taken again")
        wait_for(lambda: gw.get("/readyz")[0] == 200, "a green /readyz")
        assert all(Counter(hop.recipients())[address] == 1 for address in held)
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


@pytest.mark.parametrize("killed", [False, True], ids=["freed", "killed-while-full"])
def test_not_an_octet_left(tmp_path: Path, killed: bool) -> None:
    """No margin at all: the database itself finds no room, and neither does what was acknowledged before."""
    with (
        next_hop() as hop,
        mounted(tmp_path / "var") as state,
        gateway_on(state, hop, "minimum_free_space: 0\n") as gw,
    ):
        taken = [f"first{n}@example.com" for n in range(3)]
        assert [send(gw, [address], LARGE)[0] for address in taken] == [250] * 3
        ballast = fill(state, 0)
        for body in (SMALL, LARGE) * 3:
            code, text = send(gw, [address := f"more{len(taken)}@example.com"], body)
            assert (code, text[:5]) in [(250, b"2.0.0"), (452, b"4.3.1")]
            taken += [address] if code == 250 else []
        assert refused(gw, LARGE)
        assert gw.get("/readyz")[0] == 503
        assert gw.get("/healthz")[0] == 200
        if killed:
            gw.stop(signal.SIGKILL)
        ballast.unlink()
        if killed:
            gw.start()
        wait_for(lambda: set(taken) <= set(hop.recipients()), "what was acknowledged", 60)
        counts = Counter(hop.recipients())
        assert all(counts[address] <= 2 for address in taken), counts
        assert refused(gw, LARGE) is None
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
        assert gw.stop() == 0


def test_a_start_on_a_read_only_disk_says_so(tmp_path: Path) -> None:
    with (
        next_hop() as hop,
        mounted(tmp_path / "var") as state,
        gateway_on(state, hop, "minimum_free_space: 1MiB\n") as gw,
    ):
        assert send(gw, ["waits@example.com"])[0] == 250
        assert gw.stop() == 0
        assert run("mount", "-o", "remount,ro", str(state))
        for command in (("serve",), ("held", "list")):
            done = gw.cli(*command, "--config", str(gw.config), check=False)
            assert done.returncode == 1
            assert re.search(rf"{state}/\S+ cannot be opened", done.stderr), done.stderr
            assert "Traceback" not in done.stderr + done.stdout
        assert run("mount", "-o", "remount,rw", str(state))
        gw.start()
        wait_for(lambda: hop.recipients() == ["waits@example.com"], "the mail of before")


def refused(gw: Gateway, body: bytes) -> tuple[int, bytes] | None:
    """Send one mail to nobody who counts; return the refusal, or None where it was taken."""
    code, text = send(gw, ["probe@city.example.lg.jp"], body)
    return None if code == 250 else (code, text)


def checks(gw: Gateway) -> dict[str, str]:
    """Return what /readyz says of each check."""
    found: dict[str, str] = json.loads(gw.get("/readyz")[1])["checks"]
    return found
