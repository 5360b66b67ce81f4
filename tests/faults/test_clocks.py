"""The clocks of the real process jump: a day forward, a day back, or the whole machine stands still for longer than a lease.

A window is a time of the wall clock: forward ends it, back begins what is left of it anew at most. Leases and time-outs
run by the clock that does not step, so mail that is being handed over is not handed over a second time.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.release.scheduler import LEASE
from tests.faults.orders import Orders
from tests.faults.sending import queue_id, send
from tests.process import Gateway, NextHop, Taken, next_hop, wait_for

pytestmark = pytest.mark.crash

DAY = 86_400
ROUND_S = (
    61  # the longest until a step back is noticed; the other clock is put forward rather than waited for
)
WINDOW_S = 6


class SlowHop:
    """Lets the next hop answer some recipients in time only: one that is in flight, one that it does not want yet."""

    def __init__(self, hop: NextHop) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.greylisting = True
        hop.answer = self

    def __call__(self, taken: Taken) -> bytes:
        if "grey@city.example.lg.jp" in taken.recipients and self.greylisting:
            return b"450 4.2.0 try again in a moment\r\n"
        if "flying@city.example.lg.jp" in taken.recipients:
            self.asked.set()
            self.answer.wait(30)
        return b"250 2.0.0 taken\r\n"


@contextmanager
def a_gateway(folder: Path, hop: NextHop, orders: Orders, window: str) -> Iterator[Gateway]:
    gw = Gateway(folder, hop.port, window=window, surroundings=orders.environment)
    gw.write()
    gw.start()
    try:
        yield gw
    finally:
        if gw.process is not None:
            gw.process.kill()
            gw.process.wait()


def row(gw: Gateway, of: str) -> dict[str, Any]:
    (found,) = gw.cli_json("held", "show", of)["recipients"]
    return dict(found)


def taken(gw: Gateway, to: str) -> str:
    code, text = send(gw, [to])
    assert code == 250, text
    return queue_id(text)


def test_a_day_back(tmp_path: Path, shim: Path) -> None:
    orders = Orders(tmp_path, shim)
    with next_hop() as hop, a_gateway(tmp_path, hop, orders, f"{WINDOW_S}s") as gw:
        slow = SlowHop(hop)
        flying, grey = taken(gw, "flying@city.example.lg.jp"), taken(gw, "grey@city.example.lg.jp")
        assert slow.asked.wait(20)
        wait_for(lambda: row(gw, grey)["state"] == "deferred", "the deferral")
        held = taken(gw, "held@example.com")
        jumped = time.monotonic()
        orders.give(wall=-DAY, monotonic=ROUND_S)
        wait_for(lambda: "held@example.com" in hop.recipients(), "what was held: not a day later")
        waited = time.monotonic() - jumped
        assert waited >= WINDOW_S - 2, "nothing leaves early"
        assert row(gw, flying)["state"] == "active", "its lease holds"
        slow.answer.set()
        wait_for(lambda: row(gw, flying)["state"] == "delivered", "what was in flight")
        due = datetime.fromisoformat(row(gw, grey)["due_at"]) + timedelta(seconds=DAY)
        assert due < datetime.now(UTC) + timedelta(minutes=2), "the next attempt is not a day away"
        slow.greylisting = False
        orders.give(wall=120 - DAY, monotonic=ROUND_S)
        wait_for(lambda: row(gw, grey)["state"] == "delivered", "what was deferred")
        assert row(gw, held)["state"] == "delivered"
        assert len(hop.recipients()) == len(set(hop.recipients())) == 3
        assert gw.stop() == 0


def test_a_day_forward_and_back_again(tmp_path: Path, shim: Path) -> None:
    orders = Orders(tmp_path, shim)
    with next_hop() as hop, a_gateway(tmp_path, hop, orders, "1h") as gw:
        slow = SlowHop(hop)
        flying, before = taken(gw, "flying@city.example.lg.jp"), taken(gw, "before@example.com")
        assert slow.asked.wait(20)
        orders.give(wall=DAY)
        wait_for(lambda: row(gw, before)["state"] == "delivered", "a window that the new time says is over")
        future = taken(gw, "future@example.com")
        assert row(gw, flying)["state"] == "active", "a lease is not over because the wall clock says so"
        orders.give(monotonic=ROUND_S)
        wait_for(lambda: is_near(row(gw, future)["due_at"], timedelta(hours=1)), "its window, counted anew")
        slow.answer.set()
        wait_for(lambda: row(gw, flying)["state"] == "delivered", "what was in flight")
        after = taken(gw, "after@example.com")
        assert is_near(row(gw, after)["due_at"], timedelta(hours=1))
        assert [row(gw, of)["state"] for of in (future, after)] == ["held", "held"]
        assert sorted(hop.recipients()) == ["before@example.com", "flying@city.example.lg.jp"]
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
        assert gw.stop() == 0


def test_a_machine_that_stood_still_for_longer_than_a_lease(tmp_path: Path, shim: Path) -> None:
    """Stopped, as a virtual machine is: when it goes on, what it was doing is over, and is done again."""
    orders = Orders(tmp_path, shim)
    with next_hop() as hop, a_gateway(tmp_path, hop, orders, "1h") as gw:
        slow = SlowHop(hop)
        flying = taken(gw, "flying@city.example.lg.jp")
        assert slow.asked.wait(20)
        assert gw.process is not None
        gw.process.send_signal(signal.SIGSTOP)
        stood = int(LEASE.total_seconds()) + 60
        orders.give(wall=stood, monotonic=stood)
        slow.answer.set()
        gw.process.send_signal(signal.SIGCONT)
        wait_for(lambda: row(gw, flying)["state"] in ("delivered", "deferred"), "its end, or another attempt")
        orders.give(wall=stood + 180, monotonic=stood + 180)
        wait_for(lambda: row(gw, flying)["state"] == "delivered", "the mail")
        assert 1 <= hop.recipients().count("flying@city.example.lg.jp") <= 2
        assert taken(gw, "after@city.example.lg.jp")
        wait_for(lambda: "after@city.example.lg.jp" in hop.recipients(), "work as before")
        assert gw.stop() == 0


def is_near(text: str, distance: timedelta) -> bool:
    """Tell whether a time lies so far ahead of now, within a minute."""
    return abs(datetime.fromisoformat(text) - datetime.now(UTC) - distance) < timedelta(minutes=1)
