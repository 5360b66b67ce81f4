"""The loop that lets mail go: releases due holds, claims what is due, keeps a bounded number of claims in
work.

It is woken by `wake()`, and otherwise looks at the wall clock at least once a second, so that a clock step
cannot stall it. A failing store makes it pause, never stop. It decides when; what happens to a claim is the
handler's business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from gateway.clock import Clock
from gateway.release.housekeeping import Housekeeping
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.values import Claim

LEASE = timedelta(minutes=45)
"""How long a claim belongs to us: PATIENCE (dispatch.py) and TRANSACTION (delivery) and commits fit in with
room."""

TICK = 1.0
"""Seconds between two looks at the clock: a due hold leaves within a second of its time."""

RELEASE_BATCH = 1000
"""Holds released in one transaction, so that a large release does not keep the committer from accepting
mail."""

CLAIMS_PER_PLACE = 10
"""Recipients leased for each connection that may be in use: enough to keep them busy, few enough that most
mail that waits for a slow host can still be cancelled."""

# One message has half of all places at most (`_share`): a mail to forty thousand people, each with a copy of
# their own, must not keep a colleague's mail waiting until the last of them has it.

PIECES = 4
"""Claims that make up one message's share: while the last copies of one are under way, the next has begun."""

FIRST_PAUSE = 1.0  # seconds after a failure of the store; doubles
LONGEST_PAUSE = 30.0  # seconds
SETTLE = 5.0  # seconds that cancelled work gets to record what it knows

EXPRESS_OCTETS = 64 * 1024 * 1024
"""Octets of new mail that wait in memory for their delivery; beyond it mail is found in the spool again."""

Handler = Callable[[Claim, float, bytes | None], Awaitable[None]]

log = structlog.get_logger()


class Scheduler:
    """Run with `run()`, end with `stop()`."""

    def __init__(
        self, spool: Spool, handle: Handler, clock: Clock, housekeeping: Housekeeping, *, concurrency: int
    ) -> None:
        self._spool = spool
        self._handle = handle
        self._clock = clock
        self._housekeeping = housekeeping
        self._capacity = concurrency * CLAIMS_PER_PLACE
        self._share = max(1, self._capacity // 2)
        self._piece = max(1, self._share // PIECES)
        self._leased = 0
        self._express_octets = 0
        self._behind = True  # until a look at the spool found less than there is room for
        self._of_message: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._bell = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    def wake(self) -> None:
        """Say that there may be something to do; from the loop's own thread."""
        self._bell.set()

    # --- new mail that does not wait (see spool/express.py) ---

    def reserve(self, recipients: int, octets: int) -> timedelta | None:
        """Keep places, unless mail that came earlier waits for them."""
        full = self._leased + recipients > self._capacity or recipients > self._share
        if full or self._behind or self._stopping.is_set() or self._express_octets + octets > EXPRESS_OCTETS:
            return None
        self._leased += recipients
        self._express_octets += octets
        return LEASE

    def give_back(self, recipients: int, octets: int) -> None:
        self._leased -= recipients
        self._express_octets -= octets
        self._bell.set()

    def start(self, claim: Claim, raw: bytes) -> None:
        self._leased -= len(claim.message.recipients)  # `_start` counts them
        self._start(claim, asyncio.get_running_loop().time() + LEASE.total_seconds(), raw)

    async def run(self) -> None:
        """Work until `stop()` is called."""
        self._ended.clear()
        pause = FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                self._bell.clear()
                try:
                    await self._sleep(await self.tick())
                    pause = FIRST_PAUSE
                except Exception as error:
                    self._complain(error, pause)
                    await self._pause(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            self._ended.set()

    def abandon(self) -> None:
        """Break off everything under way, in the middle of a transaction too: other nodes may take it over."""
        for task in self._tasks:
            task.cancel()

    async def stop(self, timeout: float) -> None:
        """Claim no more, let what is in work end within `timeout` seconds, and cancel the rest.

        Cancelled work records the results it has; its other leases are given back by the next start
        (`Spool.recover`).
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        self._stopping.set()
        self._bell.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._ended.wait()
        for patience in (max(0.0, end - loop.time()), SETTLE, SETTLE):
            if not self._tasks:
                return
            _, left = await asyncio.wait(set(self._tasks), timeout=patience)
            for task in left:
                task.cancel()

    async def tick(self) -> float:
        """Do what is due now and return how many seconds may pass until the next look (0: look again at
        once)."""
        await self._housekeeping.run(self._clock())
        due = await self._spool.next_due()
        now = self._clock()
        if due is None or due > now:
            self._behind = False
            return _seconds_until(due, now)
        released = await self._spool.release_due(now, RELEASE_BATCH)
        claimed = await self._claim(now)
        return 0.0 if claimed or released else TICK

    async def _claim(self, now: datetime) -> int:
        """Lease as many recipients as there is room for and start on them; return how many."""
        room = self._capacity - self._leased
        self._behind = True
        if room <= 0:
            return 0
        until = asyncio.get_running_loop().time() + LEASE.total_seconds()
        full = self._share - self._piece
        crowded = [queue_id for queue_id, count in self._of_message.items() if count > full]
        claims = await self._spool.claim(now, room, LEASE, self._piece, crowded)
        for claim in claims:
            self._start(claim, until)
        claimed = sum(len(claim.message.recipients) for claim in claims)
        self._behind = claimed >= room
        return claimed

    def _start(self, claim: Claim, until: float, raw: bytes | None = None) -> None:
        count = len(claim.message.recipients)
        self._leased += count
        self._of_message[claim.message.queue_id] += count
        task = asyncio.create_task(self._work(claim, until, raw))
        self._tasks.add(task)
        octets = len(raw) if raw is not None else 0
        # Not in the task's own `finally`: one that is cancelled before its first step never comes there.
        task.add_done_callback(lambda ended: self._done(ended, claim.message.queue_id, count, octets))

    async def _work(self, claim: Claim, until: float, raw: bytes | None) -> None:
        try:
            await self._handle(claim, until, raw)
        except Exception:
            log.exception("claim-failed", queue_id=claim.message.queue_id)

    def _done(self, task: asyncio.Task[None], queue_id: str, count: int, octets: int) -> None:
        """Take places back; ring where somebody may wait for them."""
        self._tasks.discard(task)
        self._express_octets -= octets
        was_full = self._leased >= self._capacity or self._of_message[queue_id] > self._share - self._piece
        self._leased -= count
        self._of_message[queue_id] -= count
        if not self._of_message[queue_id]:
            del self._of_message[queue_id]
        if was_full or not self._leased:
            self._bell.set()

    async def _sleep(self, seconds: float) -> None:
        """Wait for the bell, at most a tick; the wall clock is read again after it, wherever it has jumped
        to."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, TICK)):
                    await self._bell.wait()

    async def _pause(self, seconds: float) -> None:
        """Wait without listening to the bell: a sick store must not be hammered by every mail that comes
        in."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _complain(self, error: Exception, pause: float) -> None:
        if isinstance(error, StoreUnavailable):
            log.warning("store-unavailable", error=str(error), pause_seconds=pause)
        else:
            log.error("scheduler-round-failed", exc_info=error, pause_seconds=pause)


def _seconds_until(due: datetime | None, now: datetime) -> float:
    return TICK if due is None else max(0.001, min(TICK, (due - now).total_seconds()))
