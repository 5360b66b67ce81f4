"""One mail to 40,000 recipients who each get a copy of their own: `python -m tests.bench.copies [recipients]`.

The mail comes in with so many RCPT commands and no hold; smtp-sink takes one transaction for each recipient. The rate counts
from the 250 for the mail to the last copy at the sink. Everything else is as shipped: encrypted body, events, log lines.
Bounded: RUN_LIMIT_S, after which the number of copies that came counts.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import OURS, Absent, Sample
from tests.bench.processes import cpu_s, settle
from tests.bench.relays import Relay, sekisho
from tests.bench.source import SENDER, Sink, absent, sink
from tests.bench.task import WORKERS, Load

RECIPIENTS = 40_000
RUN_LIMIT_S = 180.0
REPLY_LIMIT_S = 60.0
PIPELINED = 500  # RCPT commands in one write: their replies stay below what a socket holds
ROOM = {"limits.recipients": str(RECIPIENTS), "limits.commands": str(RECIPIENTS + 100)}
POLICY = """\
version: 1
organisation:
  name: bench
  internal: [city.example.lg.jp, sports.example.jp]
rules:
  - id: own-copy
    reason: {ja: 一人ずつに送ります, en: each gets a copy of their own}
    when: {external: {at_least: 1}}
    then: {recipients: individual}
"""
MAIL = (
    b"From: Office <office@sports.example.jp>\r\nTo: members@sports.example.jp\r\nSubject: the summer festival\r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0900\r\nMessage-ID: <festival@sports.example.jp>\r\n\r\n"
    + b"Dear all,\r\n"
    * 300
)


def copies(load: Load) -> Iterator[Sample | Absent]:
    """Yield recipients per second until the sink has the last copy, and the processor's share of each."""
    found = run(load.count(RECIPIENTS), load.workers)
    yield Sample("copies", OURS, found["recipients_per_s"])
    yield Sample("copies-cpu", OURS, found["cpu_us_per_recipient"])


def run(count: int = RECIPIENTS, workers: int = WORKERS) -> dict[str, float]:
    """Send one mail to `count` recipients; return what it took."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        policy = Path(name) / "policy.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        with sink() as into, sekisho(into.port, workers, lambda _: ROOM, policy) as relay:
            return _measured(relay, into, count)


def _measured(relay: Relay, into: Sink, count: int) -> dict[str, float]:
    settle(relay.root)  # one worker answers while another is still starting
    began = time.monotonic()
    before = cpu_s(relay.root)
    submit(relay.port, count)
    taken = time.monotonic()
    came = arrived(into, count)
    seconds = time.monotonic() - taken
    return {
        "recipients": float(count),
        "copies": float(came),
        "accept_s": taken - began,
        "deliver_s": seconds,
        "recipients_per_s": came / seconds,
        "cpu_us_per_recipient": (cpu_s(relay.root) - before) / count * 1e6,
    }


def submit(port: int, count: int) -> None:
    """Hand in one mail to so many recipients, pipelined; every reply must be positive."""
    with socket.create_connection(("127.0.0.1", port), REPLY_LIMIT_S) as peer, peer.makefile("rb") as lines:

        def say(commands: list[bytes], code: bytes) -> None:
            peer.sendall(b"\r\n".join(commands) + b"\r\n")
            for _ in commands:
                while (line := lines.readline())[3:4] == b"-":
                    pass
                assert line.startswith(code), line

        assert lines.readline().startswith(b"220")
        say([b"EHLO office.example"], b"250")
        say([b"MAIL FROM:<%b>" % SENDER.encode()], b"250")
        for first in range(0, count, PIPELINED):
            numbers = range(first, min(first + PIPELINED, count))
            say([b"RCPT TO:<member%d@example.com>" % number for number in numbers], b"250")
        say([b"DATA"], b"354")
        say([MAIL + b"."], b"250")
        say([b"QUIT"], b"221")


def arrived(into: Sink, count: int) -> int:
    """Wait until the sink has so many copies, or RUN_LIMIT_S are over; return how many it has."""
    end = time.monotonic() + RUN_LIMIT_S
    while (came := into.messages()) < count and time.monotonic() < end:
        time.sleep(0.02)
    return came


if __name__ == "__main__":
    if why := absent():
        sys.exit(why)
    print(json.dumps(run(*map(int, sys.argv[1:3])), indent=2))
