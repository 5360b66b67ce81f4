"""Mails per second: accept and hold, and end to end, the product against Postfix, against itself and against stock parts.

smtp-source in and, end to end, smtp-sink out, 20 sessions on kept connections. Everybody has synced before it answers 250.
A tenth of the mails goes through before, so that nobody is measured while it starts. Processor time is that of the relay
alone until it has come to rest again, divided by the mails. The letters about a burst of held mails are written when it has
been quiet for 10 s, which is later: tests.bench.notices has their cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.bench import on_postgres as postgres
from tests.bench.figures import Absent, Sample
from tests.bench.on_postgres import ON_POSTGRES
from tests.bench.processes import cpu_s, settle
from tests.bench.relays import Contestant, Relay, ours, postfix_hold, postfix_through
from tests.bench.source import SESSIONS, Sink, accept_rate, relay_rate, sink
from tests.bench.stock import STOCK_PARTS
from tests.bench.task import Load

SMALL, LARGE = 10_240, 1_048_576
MAILS = {SMALL: 2000, LARGE: 120}
ONE_WORKER = "sekisho, one worker"
Run = Callable[[Relay, int, int, Sink], float]
Starting = Callable[[Load], Sequence[Contestant]]


def hold(relay: Relay, count: int, size: int, into: Sink) -> float:
    """Return mails accepted per second."""
    return accept_rate(relay.port, count, size)


def relayed(relay: Relay, count: int, size: int, into: Sink) -> float:
    """Return mails per second at the sink."""
    return relay_rate(relay.port, count, size, into)


def race(run: Run, size: int, series: str, starting: Starting, load: Load) -> Iterator[Sample | Absent]:
    """Run each contestant once; yield its rate, and its processor time as the series `series`-cpu."""
    count = load.count(MAILS[size])
    for contestant in load.turn(starting(load)):
        if why := contestant.absent():
            yield Absent(contestant.who, why)
            continue
        with sink() as into, contestant.start(into.port) as relay:
            run(
                relay, max(count // 10, SESSIONS), size, into
            )  # a service that has just started is not what is compared
            settle(relay.root)
            before = cpu_s(relay.root)
            yield Sample(series, contestant.who, run(relay, count, size, into))
            settle(relay.root)
            yield Sample(f"{series}-cpu", contestant.who, (cpu_s(relay.root) - before) / count * 1e6)


def against_postfix_hold(load: Load) -> Sequence[Contestant]:
    """Name the product and a Postfix that holds everything."""
    return [postfix_hold(), ours(load.workers)]


def against_postfix(load: Load) -> Sequence[Contestant]:
    """Name the product and a Postfix that relays everything."""
    return [postfix_through(), ours(load.workers)]


def against_stock(load: Load) -> Sequence[Contestant]:
    """Name the product and a gateway of stock parts."""
    return [STOCK_PARTS, ours(load.workers)]


def one_and_two_workers(load: Load) -> Sequence[Contestant]:
    """Name the product twice."""
    return [ours(1, ONE_WORKER), ours(2)]


def workers(load: Load) -> Iterator[Sample | Absent]:
    """Run one worker against two, holding and end to end."""
    yield from race(hold, SMALL, "workers-hold", one_and_two_workers, load)
    yield from race(relayed, SMALL, "workers-e2e", one_and_two_workers, load)


def on_postgres(load: Load) -> Iterator[Sample | Absent]:
    """Run Postfix's hold against ours with a PostgreSQL for a store."""
    if why := postgres.absent():
        yield Absent(ON_POSTGRES, why)
        return
    with postgres.cluster(on_disk=True) as server:
        postgres.insist_on_syncing(server)
        yield from race(
            hold, SMALL, "hold-pg", lambda at: [postfix_hold(), postgres.on(server, at.workers)], load
        )
