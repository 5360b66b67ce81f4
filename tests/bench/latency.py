"""How long a sender waits for 250 at half of peak load, the product and Postfix at the same absolute rate.

Both are up, one rests while the other is measured. First the peak of each (smtp-source, 20 sessions), then the open loop of
pacing.py at half of our peak into both, then at half of Postfix's into both. A relay that the rate is too much for shows the
waiting that its senders would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.client import Mails
from tests.bench.figures import OURS, POSTFIX, Absent, Sample, percentile
from tests.bench.pacing import open_loop, schedule
from tests.bench.processes import settle
from tests.bench.relays import Relay, ours, postfix_hold
from tests.bench.source import OUTSIDE, accept_rate, sink
from tests.bench.task import Load

SIZE = 10_240
PEAK_MAILS = 2000
SECONDS = 5.0
GRACE_S = 10.0  # for the mails of a run that the relay is behind with
SESSIONS = 40  # more than are busy at half load: a mail must not wait for the client


def latency(load: Load) -> Iterator[Sample | Absent]:
    """Measure both at half of either's peak."""
    with ExitStack() as stack:
        relays: dict[str, Relay] = {}
        for contestant in load.turn([postfix_hold(), ours(load.workers)]):
            if why := contestant.absent():
                yield Absent(contestant.who, why)
                continue
            into = stack.enter_context(sink())
            relays[contestant.who] = stack.enter_context(contestant.start(into.port))
        peaks = {who: _peak(relay, load) for who, relay in relays.items()}
        for series, whose in (("latency", OURS), ("latency-peer", POSTFIX)):
            if whose in peaks:
                for who, relay in relays.items():
                    yield from _at(relay, peaks[whose] / 2, f"{series}", who, load)


def _peak(relay: Relay, load: Load) -> float:
    rate = accept_rate(relay.port, load.count(PEAK_MAILS), SIZE)
    settle(relay.root)
    return rate


def _at(relay: Relay, rate: float, series: str, who: str, load: Load) -> Iterator[Sample]:
    seconds = load.seconds(SECONDS)
    moments = schedule(rate, max(int(rate * seconds), 10), seed=load.number)
    waited = open_loop(relay.port, Mails(OUTSIDE, SIZE), moments, SESSIONS, seconds + GRACE_S)
    settle(relay.root)
    yield Sample(f"{series}-rate", who, rate)
    yield Sample(f"{series}-p50", who, percentile(waited, 0.5) * 1e3)
    yield Sample(f"{series}-p99", who, percentile(waited, 0.99) * 1e3)
