"""The processes of one kind: a few, started when they are needed, replaced when they fail, later each time they cannot start.

Who finds all of them busy waits in a bounded queue, for a bounded time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from gateway.confined.process import ChildDied, Process

MAX_WAITING = 1_000
"""Mails that wait for a process at once; their octets are counted by limits.bytes_in_flight."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Seconds between a start that failed and the next one, doubled each time."""

Child = TypeVar("Child", bound=Process)

log = structlog.get_logger()


class NoChild(Exception):
    """There is no process to be had; `why` is busy or broken."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Pool(Generic[Child]):
    """At most `size` processes that `start` starts. `take` one, and `give` it back, healthy or not; `kind` is for the log."""

    def __init__(self, kind: str, size: int, wait_s: float, start: Callable[[], Awaitable[Child]]) -> None:
        self._kind = kind
        self._free = asyncio.Semaphore(size)
        self._wait_s = wait_s
        self._start = start
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._waiting = 0
        self._failures = 0
        self._not_before = 0.0
        self._closed = asyncio.Event()

    async def take(self) -> Child:
        """Return a process that is ready; raises NoChild. Give it back."""
        await self._wait_for_place()
        try:
            return self._living() or await self._started()
        except BaseException:
            self._free.release()
            raise

    async def give(self, child: Child, *, healthy: bool) -> None:
        """Take a process back; one that is not healthy, or has done enough, is ended."""
        try:
            if healthy and not child.retired and not self._closed.is_set():
                self._idle.append(child)
            else:
                self._all.discard(child)
                await child.kill()
        finally:
            self._free.release()

    async def close(self) -> None:
        """End all processes, also those at work."""
        self._closed.set()
        self._idle.clear()
        children, self._all = self._all, set()
        await asyncio.gather(*(child.kill() for child in children))

    def _living(self) -> Child | None:
        """Return an idle process; the kernel may have ended some, where memory is short."""
        while self._idle:
            child = self._idle.pop()
            if not child.ended:
                return child
            self._all.discard(child)
        return None

    async def _wait_for_place(self) -> None:
        if self._free.locked() and self._waiting >= MAX_WAITING:
            raise NoChild("busy")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise NoChild("busy") from None
        finally:
            self._waiting -= 1

    async def _started(self) -> Child:
        now = asyncio.get_running_loop().time
        if self._closed.is_set() or now() < self._not_before:
            raise NoChild("broken")
        try:
            child = await self._start()
        except (ChildDied, OSError) as error:
            self._failures += 1
            pause = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_S)
            self._not_before = now() + pause
            log.error(f"{self._kind}.no-worker", cause=f"{type(error).__name__}: {error}", again_in_s=pause)
            raise NoChild("broken") from error
        self._failures = 0
        if self._closed.is_set():
            await child.kill()
            raise NoChild("broken")
        self._all.add(child)
        return child
