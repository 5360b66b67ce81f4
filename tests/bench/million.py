"""A million held recipients against none: `python -m tests.bench.million [recipients]`.

The store is filled through the spool's own rows (events, tallies and encrypted bodies included), a thousand mails to a
transaction; then the real process is started on it. What it costs to have them: memory, time to start, a look for what is
due, the rate of accepting, /metrics, a page of the list of held mails, one mail in the event log. Bounded in count.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.spool.accepting import acceptance
from gateway.spool.queue_ids import QueueIds
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from gateway.store.keys import MasterKey, key_file
from gateway.store.tx import Tx
from tests.bench.figures import OURS, Absent, Sample, percentile
from tests.bench.processes import memory_kib, settle
from tests.bench.source import OUTSIDE, absent, send
from tests.bench.task import Load
from tests.process import Gateway

RECIPIENTS = 1_000_000
OF_A_MAIL = 10
MAILS_AT_ONCE = 1_000
LOOKS = 300
MAILS_IN, SIZE = 1_000, 10_240
WINDOW = timedelta(days=3)  # nothing of it is due while it is measured
RAW = b"From: office@sports.example.jp\r\nTo: members@sports.example.jp\r\nSubject: held\r\n\r\nhello\r\n"
NO_HOP = 1  # nothing leaves


def million(load: Load) -> Iterator[Sample | Absent]:
    """Yield what a look for due mail costs, and memory and rate against an empty store."""
    found = run(load.count(RECIPIENTS, least=1_000))
    yield Sample("million-scan", OURS, found["full.due_scan_p99_ms"])
    yield Sample("million-memory", OURS, found["full.memory_mib"] - found["empty.memory_mib"])
    yield Sample("million-start", OURS, found["full.start_s"])
    yield Sample("million-accept", OURS, found["full.accept_per_s"] / found["empty.accept_per_s"])


def run(count: int = RECIPIENTS) -> dict[str, float]:
    """Measure with an empty store, fill it, and measure again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        running = Gateway(Path(name), NO_HOP, window="3d", extra="limits: {relay_mails_per_hour: 0}\n")
        running.write()
        found = {f"empty.{key}": value for key, value in _measured(running).items()}
        began = time.monotonic()
        asyncio.run(_with_spool(running, lambda spool: fill(spool, count)))
        found["fill_s"] = time.monotonic() - began
        return found | {f"full.{key}": value for key, value in _measured(running).items()}


async def fill(spool: SqlSpool, count: int) -> None:
    """Put so many held recipients into the store, OF_A_MAIL to a mail."""
    ids, at = QueueIds(), datetime.now(UTC)
    demands = Demands(window=WINDOW, form=Form.BCC)
    decision = Decision("bench", (Outcome(True, demands),), (0,) * OF_A_MAIL)
    mails = -(-count // OF_A_MAIL)
    for first in range(0, mails, MAILS_AT_ONCE):
        made = []
        for number in range(first, min(first + MAILS_AT_ONCE, mails)):
            people = tuple(Address(f"r{number}-{each}", "example.com") for each in range(OF_A_MAIL))
            sender = Address(f"s{number % 1000}", "sports.example.jp")
            envelope = Envelope(sender, people, Client("192.0.2.1"))
            made.append(NewMessage(envelope, RAW, decision, at + timedelta(microseconds=number), "held"))
        await spool.database.committer.run(_writing(spool, ids, made))


def _writing(spool: SqlSpool, ids: QueueIds, made: list[NewMessage]) -> Callable[[Tx], None]:
    def job(tx: Tx) -> None:
        for mail in made:
            queue_id = ids.new(mail.received_at)
            acceptance(queue_id, mail).write(tx, spool.database.bodies.seal(mail.raw, queue_id))

    return job


def _measured(running: Gateway) -> dict[str, float]:
    """Start the process, look at it from outside, end it."""
    began = time.monotonic()
    running.start()
    started = time.monotonic() - began
    try:
        assert running.process is not None
        settle(running.process.pid)
        found = {"start_s": started, "memory_mib": memory_kib(running.process.pid) / 1024}
        found |= asyncio.run(_with_spool(running, _looks))
        found |= {"metrics_ms": _ms(lambda: running.get("/metrics"))}
        found |= {"held_list_s": _s(lambda: running.cli_json("held", "list", "--limit", "100"))}
        newest = running.cli_json("held", "list", "--limit", "1")
        if newest:
            asked = ("log", "query", "--queue-id", newest[0]["queue_id"])
            found["log_query_s"] = _s(lambda: running.cli_json(*asked))
        if not absent():
            found["accept_per_s"] = MAILS_IN / send(running.smtp_port, MAILS_IN, SIZE, OUTSIDE)
        return found | {"memory_after_mib": memory_kib(running.process.pid) / 1024}
    finally:
        running.stop()


async def _looks(spool: SqlSpool) -> dict[str, float]:
    """Time the looks of the scheduler: when is something due, release it, claim it, and the figures."""
    now = datetime.now(UTC)
    verbs: dict[str, Callable[[], Awaitable[object]]] = {
        "next_due": spool.next_due,
        "due_scan": lambda: spool.release_due(now, 1000),
        "claim": lambda: spool.claim(now, 500, timedelta(minutes=1)),
        "figures": spool.figures,
        "held_page": lambda: spool.held(100),
    }
    found: dict[str, float] = {}
    for name, verb in verbs.items():
        times = []
        for _ in range(LOOKS):
            began = time.perf_counter()
            await verb()
            times.append((time.perf_counter() - began) * 1e3)
        found[f"{name}_p50_ms"] = percentile(times, 0.5)
        found[f"{name}_p99_ms"] = percentile(times, 0.99)
    return found


async def _with_spool(
    running: Gateway, act: Callable[[SqlSpool], Awaitable[dict[str, float] | None]]
) -> dict[str, float]:
    state = running.folder / "var"
    spool = open_spool(state, MasterKey.load(key_file(state, None)))
    try:
        return await act(spool) or {}
    finally:
        await spool.close()


def _ms(act: Callable[[], object]) -> float:
    return _s(act) * 1e3


def _s(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:2])), indent=2))
