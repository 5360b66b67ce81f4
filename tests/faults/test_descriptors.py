"""The process runs out of file descriptors: it refuses, loses nothing, and goes on when there are some again."""

from __future__ import annotations

import json
import shutil
import smtplib
import socket
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.faults.orders import Orders, cannot
from tests.faults.sending import LARGE, SENDER, SMALL, send
from tests.process import Gateway, mail, next_hop, wait_for

pytestmark = pytest.mark.crash

DESCRIPTORS = 128
FLOOD = 300  # connections that want one each


def on_kept(client: smtplib.SMTP, to: str, body: bytes) -> int:
    """Send one mail on a connection that was there before the flood; return the code of its last reply."""
    client.mail(SENDER)
    client.rcpt(to)
    return client.data(mail([to], to, body))[0]


def flood(stack: ExitStack, port: int) -> int:
    """Open connections and leave them idle; return how many were not closed at once."""
    opened = []
    for _ in range(FLOOD):
        with suppress(OSError):
            opened.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), 5)))
    greeted = 0
    for connection in opened:
        connection.settimeout(1)
        with suppress(OSError):
            greeted += connection.recv(3) == b"220"
    return greeted


def answers(gw: Gateway, page: str) -> int:
    """Return the status of a page, 0 where nobody answers."""
    with suppress(OSError):
        return gw.get(page)[0]
    return 0


def used(gw: Gateway) -> int:
    assert gw.process is not None
    return len(list(Path(f"/proc/{gw.process.pid}/fd").iterdir()))


def nothing_left(gw: Gateway, stack: ExitStack) -> bool:
    """Take what a look at a folder, or another one's end, gave back since; tell whether no page is answered any more."""
    for _ in range(DESCRIPTORS - used(gw)):
        with suppress(OSError):
            stack.enter_context(socket.create_connection(("127.0.0.1", gw.smtp_port), 5))
    return answers(gw, "/readyz") != 200


def test_no_descriptor_left(tmp_path: Path, shim: Path) -> None:
    if shutil.which("prlimit") is None:
        cannot("there is no prlimit")
    orders = Orders(tmp_path, shim)
    with next_hop() as hop:
        gw = Gateway(
            tmp_path,
            hop.port,
            window="3s",
            extra="limits: {connections_per_address: 1000}\n",
            surroundings=orders.environment,
        )
        gw.write()
        gw.start(("prlimit", f"--nofile={DESCRIPTORS}", sys.executable, "-m", "gateway.cli"))
        try:
            with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as kept:
                kept.ehlo("client.example")
                assert on_kept(kept, "held@example.com", LARGE) == 250
                with ExitStack() as stack:
                    assert 0 < flood(stack, gw.smtp_port) < FLOOD
                    assert used(gw) >= DESCRIPTORS - 2
                    wait_for(lambda: nothing_left(gw, stack), "the last descriptor to be taken")
                    small, large = (
                        on_kept(kept, "small@example.com", SMALL),
                        on_kept(kept, "during@example.com", LARGE),
                    )
                    assert {small, large} <= {250, 451}
                    wait_for(
                        lambda: any(word in gw.log_text for word in ('"deferred"', "scheduler-round-failed")),
                        "a delivery, or a look for due mail, that finds no descriptor either",
                    )
                    assert "held@example.com" not in hop.recipients()
                wait_for(lambda: used(gw) < DESCRIPTORS // 2, "the flood to be over")
                assert on_kept(kept, "large@example.com", LARGE) == 250
            assert send(gw, ["new@example.com"])[0] == 250
            orders.give(wall=120, monotonic=120)  # the deferred one is tried again after a minute
            wait_for(lambda: answers(gw, "/readyz") == 200, "a green /readyz")
            assert set(json.loads(gw.get("/readyz")[1])["checks"].values()) == {"ok"}
            expected = {"held@example.com", "large@example.com", "new@example.com"}
            expected |= {"small@example.com"} if small == 250 else set()
            expected |= {"during@example.com"} if large == 250 else set()
            wait_for(lambda: expected <= set(hop.recipients()), "what was acknowledged")
            assert all(Counter(hop.recipients())[address] == 1 for address in expected)
            assert gw.stop() == 0
        finally:
            if gw.process is not None:
                gw.process.kill()
                gw.process.wait()
