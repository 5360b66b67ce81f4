"""kill -9 at random moments under load, many times, then the accounting: every 250 was delivered or cancelled, no cancel left.

Bounded: CYCLES kills, each after at most 0.8 s of load; the seed is printed, so that a failure can be run again.
"""

from __future__ import annotations

import os
import random
import re
import signal
import smtplib
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.process import Gateway, gateway, mail, next_hop, wait_for

pytestmark = pytest.mark.crash

CYCLES = int(os.environ.get("CRASH_CYCLES", "12"))
SEED = int(os.environ.get("CRASH_SEED", "20261121"))
SENDER = "office@sports.example.jp"


class Load:
    """Clients that send until they are stopped, and remember which mails were acknowledged with which queue id."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.acknowledged: dict[str, str] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, clients: int = 4) -> None:
        self._stop.clear()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _client(self) -> None:
        while not self._stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=5) as client:
                    while not self._stop.is_set():
                        self._send(client)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)

    def _send(self, client: smtplib.SMTP) -> None:
        with self._lock:
            self._number += 1
            name = f"load{self._number:06d}"
        to = [f"{name}-a@example.com", f"{name}-b@city.example.lg.jp"]
        client.ehlo_or_helo_if_needed()
        client.mail(SENDER)
        for recipient in to:
            client.rcpt(recipient)
        code, text = client.data(
            mail(to, name, body=b"x" * random.Random(name).choice([10, 5000, 200_000]) + b"\r\n")
        )
        found = re.search(rb"\b([0-9A-Z]{10,})\b", text)
        if code == 250 and found:
            self.acknowledged[name] = found[1].decode()


def test_nothing_acknowledged_is_lost_and_nothing_cancelled_leaves(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"CRASH_SEED={SEED}")
    cancelled: set[str] = set()
    perhaps: set[str] = set()  # cancelled, but told that it may have left in an attempt that a kill ended
    with next_hop() as hop, gateway(tmp_path, hop.port, window="1s") as gw:
        load = Load(gw.smtp_port)
        for _ in range(CYCLES):
            load.start()
            time.sleep(chance.uniform(0.05, 0.8))
            cancel_some(gw, load, chance, cancelled, perhaps)
            gw.stop(signal.SIGKILL)
            load.stop()
            gw.start()
        expected = set(load.acknowledged)
        assert len(expected) > CYCLES, "the load never got going"
        drained(gw)
        taken = Counter(recipient for recipient in hop.recipients())
        inside = {name for name in expected if not taken[f"{name}-b@city.example.lg.jp"]}
        outside = {name for name in expected if not taken[f"{name}-a@example.com"]}
        assert inside == set(), "acknowledged, but the colleague's copy never arrived"
        assert cancelled <= outside, "cancelled, but it left"
        assert outside <= cancelled | perhaps, "acknowledged and not cancelled, but it never arrived"
        duplicates = sum(count - 1 for count in taken.values())
        print(
            f"acknowledged {len(expected)}, cancelled {len(cancelled)}, duplicates {duplicates}, kills {CYCLES}"
        )
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def cancel_some(
    gw: Gateway, load: Load, chance: random.Random, cancelled: set[str], perhaps: set[str]
) -> None:
    """Cancel the outside recipient of the newest acknowledged mail; note what the answer says."""
    if not load.acknowledged or chance.random() < 0.3:
        return
    name = max(load.acknowledged)
    address = f"{name}-a@example.com"
    queue_id = load.acknowledged[name]
    done = gw.cli("held", "cancel", queue_id, "--recipient", address, "--config", str(gw.config), check=False)
    if done.returncode == 0:
        cancelled.add(name)
    elif "may have arrived" in done.stdout:
        perhaps.add(name)


def drained(gw: Gateway) -> None:
    """Wait until nothing is held, queued, active or deferred."""

    def empty() -> bool:
        text = gw.get("/metrics")[1]
        depth = re.findall(
            r'(?m)^sekisho_queue_recipients\{state="(held|queued|active|deferred)"\} (\S+)$', text
        )
        pending = gw.metric("sekisho_notices_pending")
        return len(depth) == 4 and not any(float(value) for _, value in depth) and not pending

    wait_for(empty, "the queue to run empty", 120)
