"""`python -m tests.bench.notices`: what the hold notice of a mail costs in a burst, in processor time.

On a store of its own, MAILS mails of one sender are accepted and held. Then the worker looks at the outbox and writes the
letters: that is what is timed, all threads together and the event loop's alone. A small burst goes before, so that no template
is compiled in the time. `accept and hold` of the bench ends before the letters of its last mails are due. Bounded: RUNS runs.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from gateway.links import Links
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.notices.bursts import QUIET
from gateway.notices.compose import Composers
from gateway.notices.letter import Author
from gateway.notices.worker import NoticeWorker
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from gateway.store.keys import MasterKey
from tests.memory_spool import NOON, SENDER, decision_for, mail

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
MAILS = int(os.environ.get("BENCH_MESSAGES", "4000"))
WARM, SESSIONS = 40, 20
TO = ("sato@example.com",)
HOST = "mx.sports.example.jp"


class Burst:
    """A store, a worker, and a clock to move."""

    def __init__(self, state: Path) -> None:
        self.now = NOON
        self.spool: SqlSpool = open_spool(state, MasterKey(bytes(32)), serve=True, clock=self.clock)
        links = Links(bytes(32), "https://sekisho.example.jp", timedelta(days=7), self.clock)
        author = Author("Sekisho", f"sekisho@{HOST}", HOST)
        composers = Composers(links, ZoneInfo("Asia/Tokyo"), author)
        self.worker = NoticeWorker(self.spool, composers.by_kind(), composers, self.clock, HOST, lambda: None)

    def clock(self) -> datetime:
        return self.now

    async def accept(self, count: int) -> None:
        """Hold so many mails, as many at once as a busy listener takes in."""
        envelope = Envelope(parse_path(SENDER), tuple(map(parse_path, TO)), Client("192.0.2.10"))
        for first in range(0, count, SESSIONS):
            subjects = [f"お知らせ {number}" for number in range(first, first + SESSIONS)]
            mails = [
                NewMessage(envelope, mail(each, TO), decision_for((0,)), self.now, subject=each)
                for each in subjects
            ]
            await asyncio.gather(*map(self.spool.accept, mails))

    async def tell(self) -> None:
        """Look at what waits, let the sender fall silent, and write the letters."""
        await self._until_nothing_is_left_to_do()
        self.now += QUIET
        await self._until_nothing_is_left_to_do()
        self.now += 2 * QUIET

    async def _until_nothing_is_left_to_do(self) -> None:
        while await self.worker.run_once() or self.worker._more:
            pass


async def run(state: Path) -> tuple[float, float]:
    """Return microseconds for each mail: of the process, and of the event loop's thread."""
    burst = Burst(state)
    await burst.accept(WARM)
    await burst.tell()
    await burst.accept(MAILS)
    process, loop = time.process_time(), time.thread_time()
    await burst.tell()
    spent = time.process_time() - process, time.thread_time() - loop
    left = (await burst.spool.figures()).pending_notices
    await burst.spool.close()
    if left:
        raise RuntimeError(f"{left} notices were left")
    return spent[0] / MAILS * 1e6, spent[1] / MAILS * 1e6


def main() -> None:
    """Print each run and the medians."""
    # Lines of the log are made as ever, and written nowhere.
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    spent = []
    for number in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            spent.append(asyncio.run(run(Path(folder) / "state")))
        print(f"[{number + 1}] {spent[-1][0]:.0f} us/mail, {spent[-1][1]:.0f} on the event loop", flush=True)
    process, loop = (statistics.median(column) for column in zip(*spent, strict=True))
    print(f"median {process:.0f} us/mail, {loop:.0f} on the event loop")


if __name__ == "__main__":
    main()
