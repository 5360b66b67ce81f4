"""What the machine itself can do: how fast the source fills the sink with nothing between, and how often the disk syncs.

Neither is anybody's figure; they say what a relay's figures can be compared with, and on which machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator

from tests.bench.figures import Absent, Sample
from tests.bench.source import OUTSIDE, send, sink
from tests.bench.task import Load

MACHINE = "machine"
SIZE, MAILS = 10_240, 10_000
LARGE, LARGE_MAILS = 1_048_576, 300
BLOCK = bytes(4096)
SYNC_S = 2.0


def limits(load: Load) -> Iterator[Sample | Absent]:
    """Measure the loopback and the disk."""
    for series, size, mails in (("limit-10k", SIZE, MAILS), ("limit-1m", LARGE, LARGE_MAILS)):
        count = load.count(mails)
        with sink() as into:
            time.sleep(0.3)
            yield Sample(series, MACHINE, count / send(into.port, count, size, OUTSIDE))
    yield Sample("limit-sync", MACHINE, syncs_per_second(load.seconds(SYNC_S)))


def syncs_per_second(seconds: float) -> float:
    """Append blocks to a file, each synced before the next."""
    count, begin = 0, time.monotonic()
    with tempfile.NamedTemporaryFile(prefix="bench-") as file:
        while time.monotonic() - begin < seconds:
            os.write(file.fileno(), BLOCK)
            os.fdatasync(file.fileno())
            count += 1
    return count / (time.monotonic() - begin)
