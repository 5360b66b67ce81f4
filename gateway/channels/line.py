"""The keys of one way, sent a bounded number at a time: leases what is due, hands it to the channel, writes what became of it.

Each way has a line of its own, so one whose carrier hangs keeps no other waiting. An attempt is on disk before it is made, and
it ends within the lease, so no two nodes send the same key at once. Nothing but cancellation ends a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from gateway import metrics
from gateway.channels.contract import Channel, Handed, NotSent, Why
from gateway.channels.schedule import retry_at
from gateway.clock import Clock
from gateway.policy.protection import Way
from gateway.spool.contract import Spool, StoreUnavailable, UnknownMessage
from gateway.spool.key_contract import KeySending

IDLE = timedelta(seconds=3)  # between two looks when nothing is due
LEASE = timedelta(minutes=3)  # longer than ATTEMPT_S and writing what became of it
ATTEMPT_S = 90.0  # the longest timeout of the settings, and what a channel does besides
DRAIN_S = 10.0  # for attempts under way when the service stops
WRITES = 5  # tries to write what became of an attempt; then the lease ends and the key is sent again
WRITE_PAUSE_S = 2.0
AILING = 3  # attempts in a row that failed for a reason that may pass, before it is told

log = structlog.get_logger()


class Sendings(Protocol):
    """What of `spool.keys` (key_contract.py) sending needs."""

    async def due_sendings(
        self, now: datetime, limit: int, lease: timedelta, way: Way | None = None
    ) -> Sequence[KeySending]: ...

    async def sent(self, sending: KeySending, receipt: str, now: datetime) -> None: ...

    async def not_sent(
        self, sending: KeySending, detail: str, retry_at: datetime | None, now: datetime
    ) -> None: ...


class Line:
    """Run with `run()`; `ring()` says that a key may be due. `ails` is empty, or why the last attempts failed."""

    def __init__(self, channel: Channel, sendings: Sendings, spool: Spool, slots: int, clock: Clock) -> None:
        self._channel = channel
        self._sendings = sendings
        self._spool = spool
        self._slots = slots
        self._clock = clock
        self._bell = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed = 0
        self.ails = ""

    def ring(self) -> None:
        """Say that a key may be due; from the loop's own thread."""
        self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; what is under way then has a moment to end."""
        try:
            while True:
                self._bell.clear()
                await self._look()
                await self._wait()
        finally:
            await self._drain()

    async def _look(self) -> None:
        free = self._slots - len(self._tasks)
        if free < 1:
            return
        try:
            due = await self._sendings.due_sendings(self._clock(), free, LEASE, self._channel.way)
        except StoreUnavailable:
            log.warning("keys-wait", way=self._channel.way.value)
            return
        except Exception as error:
            _say("key-look-error", error, way=self._channel.way.value)
            return
        for sending in due:
            task = asyncio.create_task(self._attempt(sending))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._bell.set()

    async def _wait(self) -> None:
        # Not `wait_for`: in Python 3.11 it loses a cancellation that comes in the moment of the ring, and the line never ends.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE.total_seconds()):
                await self._bell.wait()

    async def _drain(self) -> None:
        tasks = tuple(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _attempt(self, sending: KeySending) -> None:
        """Send one key and write what became of it; whatever happens, it ends here."""
        try:
            async with asyncio.timeout(ATTEMPT_S):
                handed = await self._send(sending)
        except StoreUnavailable:
            log.warning("key-waits", queue_id=sending.queue_id)  # its lease ends, and it is due again
        except NotSent as error:
            await self._failed_with(sending, error)
        except TimeoutError:
            await self._failed_with(sending, NotSent(Why.UNREACHABLE))
        except Exception as error:
            _say("key-error", error, queue_id=sending.queue_id)
            await self._failed_with(sending, NotSent(Why.ERROR))
        else:
            await self._succeeded(sending, handed)

    async def _send(self, sending: KeySending) -> Handed:
        try:
            about = await self._spool.get(sending.queue_id)
        except UnknownMessage:
            raise NotSent(Why.GONE, final=True) from None
        if about.unreadable:
            raise NotSent(Why.GONE)
        return await self._channel.send(sending, about)

    async def _succeeded(self, sending: KeySending, handed: Handed) -> None:
        self._count("sent")
        self._failed, self.ails = 0, ""
        metrics.KEY_CHANNEL.labels(self._channel.way.value).set(1)
        log.info("key-sent", queue_id=sending.queue_id, recipient=sending.recipient, way=sending.way.value)
        gone_to = replace(sending, to=handed.to or sending.to)
        for _ in range(WRITES):
            with contextlib.suppress(StoreUnavailable):
                await self._sendings.sent(gone_to, handed.receipt, self._clock())
                return
            await asyncio.sleep(WRITE_PAUSE_S)
        log.error("key-sent-unwritten", queue_id=sending.queue_id, recipient=sending.recipient)

    async def _failed_with(self, sending: KeySending, error: NotSent) -> None:
        again = retry_at(sending.attempts, error, self._clock())
        self._count("put-off" if again else "given-up")
        self._note(error)
        told = log.info if again else log.warning
        told(
            "key-not-sent",
            queue_id=sending.queue_id,
            recipient=sending.recipient,
            way=sending.way.value,
            why=error.why.value,
            attempts=sending.attempts,
            given_up=again is None,
        )
        with contextlib.suppress(StoreUnavailable):  # its lease ends, and it is due again
            await self._sendings.not_sent(sending, error.why.value, again, self._clock())

    def _note(self, error: NotSent) -> None:
        """Remember failures that say something about the channel; a number that does not exist says nothing."""
        if error.final:
            return
        self._failed += 1
        if self._failed >= AILING:
            self.ails = error.why.value
            metrics.KEY_CHANNEL.labels(self._channel.way.value).set(0)

    def _count(self, outcome: str) -> None:
        metrics.KEY_SENDINGS.labels(self._channel.way.value, outcome).inc()


def _say(event: str, error: Exception, **about: object) -> None:
    """Log an error of ours by its kind and place: its words may quote what was being sent."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    log.error(event, error=type(error).__name__, at=place, **about)
