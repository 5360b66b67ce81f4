"""How long a new connection waits for its banner while the relay is under full load.

smtp-source keeps 20 sessions busy with mail that is held; every PAUSE_S somebody else connects and waits for the greeting.
The worst and the 99th percentile of a run. The one who waits shares the machine with relay and source, as everywhere here.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

from tests.bench.figures import Absent, Sample, percentile
from tests.bench.relays import ours, postfix_hold
from tests.bench.source import OUTSIDE, RUN_LIMIT_S, command, send, sink
from tests.bench.task import Load

SIZE = 10_240
MAILS = 3000
PAUSE_S = 0.01
BANNER_LIMIT_S = 30.0


def banner(load: Load) -> Iterator[Sample | Absent]:
    """Time the banners of each while it takes mail."""
    for contestant in load.turn([postfix_hold(), ours(load.workers)]):
        if why := contestant.absent():
            yield Absent(contestant.who, why)
            continue
        with sink() as into, contestant.start(into.port) as relay:
            send(relay.port, load.count(MAILS // 10), SIZE, OUTSIDE)  # nobody is measured while it starts
            times = under_load(relay.port, load.count(MAILS, least=100))
        yield Sample("banner", contestant.who, max(times))
        yield Sample("banner-p99", contestant.who, percentile(times, 0.99))


def under_load(port: int, count: int) -> list[float]:
    """Return the milliseconds that each new connection waited while `count` mails came in."""
    times = []
    end = time.monotonic() + RUN_LIMIT_S
    with subprocess.Popen(command(port, count, SIZE, OUTSIDE)) as load:
        try:
            while load.poll() is None and time.monotonic() < end:
                times.append(banner_ms(port))
                time.sleep(PAUSE_S)
        finally:
            load.kill()
    assert load.returncode == 0, f"smtp-source ended with {load.returncode}"
    return times


def banner_ms(port: int) -> float:
    """Return how long a new connection waits to be greeted."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), BANNER_LIMIT_S) as peer:
        greeting = peer.recv(512)
        waited = (time.perf_counter() - begin) * 1e3
        assert greeting.startswith(b"220"), greeting
        peer.sendall(b"QUIT\r\n")
    return waited
