"""The part benches under the registry: reception alone, delivery alone, the stalls of the event loop.

Each is a module that can be run by itself with more detail (`python -m tests.bench.receive`); here they give one number to a
line. What is not measured by smtp-source needs nothing but Python.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import deliver, receive, stalls
from tests.bench.figures import OURS, Absent, Sample
from tests.bench.source import sink
from tests.bench.task import Load

WORST_BOMBS = ("parts", "base64", "nested multiparts", "addresses in To", "dot lines", "many fields")
"""Mails of 25 MB and the part bombs that issue and attack table name; `python -m tests.bench.stalls` tries all."""


def reception(load: Load) -> Iterator[Sample | Absent]:
    """Measure reception against aiosmtpd."""
    for who, start in load.turn([(OURS, receive.sekisho), ("aiosmtpd", receive.stock)]):
        with receive.running(start) as (port, cpu):
            cost, rate = receive.once(port, cpu, load.count(receive.MESSAGES))
            yield Sample("receive", who, rate)
            yield Sample("receive-cpu", who, cost)


def delivery(load: Load) -> Iterator[Sample | Absent]:
    """Measure delivery against smtplib."""
    count = load.count(deliver.MESSAGES)
    for who, peer in load.turn([(OURS, deliver.ours), ("smtplib", deliver.stock)]):
        with sink() as target:
            deliver.wait_until_open(target.port)
            cpu, wall = peer(target.port, count)
        yield Sample("deliver", who, count / wall)
        yield Sample("deliver-cpu", who, cpu / count * 1e6)


def loop_stalls(load: Load) -> Iterator[Sample | Absent]:
    """Measure the worst banner and the worst lag over bombs and large mails."""
    names = [name for name in WORST_BOMBS if load.scale >= 0.5 or name not in stalls.OF_A_BODY]
    blasts = list(stalls.watch(names))
    yield Sample("stalls", OURS, max(blast.lag_ms for blast in blasts))
    yield Sample("stalls-banner", OURS, max(blast.banner_ms for blast in blasts))
