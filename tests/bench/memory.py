"""Memory: of an idle connection, and the peak while mails of 25 MiB come in.

Idle connections have said EHLO and wait. What they cost is the growth of the memory of all the gateway's processes (PSS,
shared pages counted once) divided by their number, at 1,000 and at 10,000. The peak is the sum of what each process occupied
at its own worst (VmHWM). Bounded: as many connections as descriptors allow, a fixed number of large mails.
"""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.figures import OURS, Absent, Sample
from tests.bench.processes import memory_kib, peak_kib, settle
from tests.bench.relays import Relay, ours, postfix_hold
from tests.bench.source import OUTSIDE, absent, send, sink
from tests.bench.task import Load

FEW, MANY = 1_000, 10_000
SPARE = 500  # descriptors for everything else
LARGE, LARGE_MAILS, LARGE_SESSIONS = 25 * 1024 * 1024, 16, 4
ROOM = {"limits.connections": "12000", "limits.connections_per_address": "12000"}


def memory(load: Load) -> Iterator[Sample | Absent]:
    """Measure idle connections, then large mails."""
    yield from idle(load)
    if why := absent():
        yield Absent("", why)
        return
    for contestant in load.turn([postfix_hold(), ours(load.workers)]):
        if why := contestant.absent():
            yield Absent(contestant.who, why)
            continue
        with sink() as into, contestant.start(into.port) as relay:
            send(relay.port, load.count(LARGE_MAILS, least=4), LARGE, OUTSIDE, LARGE_SESSIONS)
            yield Sample("memory-25m", contestant.who, peak_kib(relay.root) / 1024)


def idle(load: Load) -> Iterator[Sample | Absent]:
    """Yield KiB for each connection, at few and at many."""
    allowed = descriptors() - SPARE
    with ours(load.workers, more=lambda _: ROOM).start(1) as relay, ExitStack() as stack:
        settle(relay.root)
        before, opened = memory_kib(relay.root), 0
        if not before:
            yield Absent(OURS, "only root may read the memory of the gateway's processes")
            return
        for series, full in (("memory-1k", FEW), ("memory-10k", MANY)):
            wanted = load.count(full)
            if wanted > allowed:
                yield Absent(OURS, f"{wanted} connections need ulimit -n {wanted + SPARE}")
                return
            connect(relay, wanted - opened, stack)
            opened = wanted
            settle(relay.root)
            yield Sample(series, OURS, (memory_kib(relay.root) - before) / opened)


def connect(relay: Relay, count: int, stack: ExitStack) -> None:
    """Open connections that have said EHLO and then nothing more."""
    for _ in range(count):
        peer = stack.enter_context(socket.create_connection(("127.0.0.1", relay.port), 30))
        assert peer.recv(512).startswith(b"220")
        peer.sendall(b"EHLO idle.example\r\n")
        assert peer.recv(1024).startswith(b"250")


def descriptors() -> int:
    """Raise the number of open files to what is allowed, for us and what we start; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
