"""Writes down what became of the recipients of one claim, as it becomes known.

The results of copies gather for GATHER_S, or until there are GATHERED, because a commit costs as much as a
delivery: what a crash repeats is no more than that. Nothing gathers once the claim's last result is there. What
is known is recorded even when the work around it is cancelled, and a failing store is waited for as long as
the lease lasts: an unrecorded delivery is a second delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.delivery.outcome import Verdict
from gateway.release.results import result_of, since_release
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.values import Claim, Recipient, Result

GATHER_S = 0.02
"""Seconds that a result waits for others: a crash makes second copies of what was delivered meanwhile."""

GATHERED = 256
"""Results that wait no longer: the bound on what one claim delivers twice after a crash, with those under way."""

FIRST_PAUSE = 0.5  # seconds before a failed commit is tried again; doubles
LONGEST_PAUSE = 15.0  # seconds

log = structlog.get_logger()


class Ledger:
    """Results of one claim. `until` is the loop time at which its lease ends; `ring` is called when a notice to
    the sender was put in the outbox; `jitter` gives numbers from -1 to 1."""

    def __init__(
        self,
        spool: Spool,
        claim: Claim,
        clock: Clock,
        until: float,
        ring: Callable[[], None],
        jitter: Callable[[], float],
    ) -> None:
        self._spool = spool
        self._claim = claim
        self._log = log.bind(queue_id=claim.message.queue_id)
        self._clock = clock
        self._until = until
        self._ring = ring
        self._jitter = jitter
        self._waiting: list[Result] = []
        self._writer: asyncio.Task[None] | None = None
        self._enough = asyncio.Event()
        self._last = False

    def add(self, rows: Sequence[Recipient], verdicts: Sequence[Verdict], next_hop: str = "") -> None:
        """Take the verdicts on these recipients; `begin` and `settle` record them, in the order of arrival.

        Those that come together have one jitter, so that they stay together in the log and next time.
        """
        message, now, jitter = self._claim.message, self._clock(), 0.0
        if State.DEFERRED in [verdict.state for verdict in verdicts]:
            jitter = self._jitter()
        results: list[Result] = []
        for row, verdict in zip(rows, verdicts, strict=True):
            if verdict.state is State.DELIVERED:
                metrics.DELIVERY_SECONDS.observe(since_release(message, row, now))
            results.append(result_of(message, row, verdict, now, jitter, next_hop))
        self._waiting += results

    def begin(self) -> None:
        """Record in the background what was taken, together with what comes soon."""
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        elif len(self._waiting) >= GATHERED:
            self._enough.set()

    def still_ours(self) -> bool:
        """Tell whether the lease is still ours: if not, another node may be at work on the same mail."""
        return self._spool.still_ours(self._claim)

    async def settle(self) -> None:
        """Wait until everything taken is on disk, or its lease is over. Being cancelled here gives up what is
        left."""
        self._last = True
        self._enough.set()
        if self._writer is None or self._writer.done():
            await self._write()
            return
        try:
            await asyncio.shield(self._writer)
        except asyncio.CancelledError:
            self._writer.cancel()
            raise

    async def _write(self) -> None:
        while self._waiting:
            await self._gather()
            results, self._waiting = self._waiting, []
            try:
                await self._record(results)
            except Exception:
                self._log.exception("record-failed", results=len(results))

    async def _gather(self) -> None:
        """Give other results the time to go with those that wait; none where there will be no others."""
        if self._last or len(self._waiting) >= GATHERED:
            return
        self._enough.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                await self._enough.wait()

    async def _record(self, results: Sequence[Result]) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            now = self._clock()
            try:
                change = await self._spool.record(self._claim, results, now)
            except StoreUnavailable:
                if loop.time() + pause > self._until:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                break
        self._tell(results, frozenset(change.done))
        if any(result.state is State.BOUNCED or result.tell_relayed for result in results):
            self._ring()

    def _tell(self, results: Sequence[Result], done: Collection[int]) -> None:
        """Log and count results; one that came too late for its lease is told as such and not counted."""
        counted: Counter[tuple[State, Reason]] = Counter()
        for result in results:
            recorded = result.index in done
            self._log.info(
                str(result.state) if recorded else "result-too-late",
                recipient=result.index,
                reason=str(result.reason),
                next_hop=result.next_hop,
                tls=result.tls,
                reply=result.reply,
            )
            if recorded:
                counted[result.state, result.reason] += 1
        for (state, reason), count in counted.items():
            if state is State.DELIVERED:
                metrics.DELIVERED.inc(count)
            elif state is State.BOUNCED:
                metrics.BOUNCED.labels(reason.value).inc(count)
            else:
                metrics.DEFERRED.labels(reason.value).inc(count)
