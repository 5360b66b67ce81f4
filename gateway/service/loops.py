"""The service's own loops and short jobs as tasks: kept by reference, ended together, and missed when one dies.

A loop that ends with an exception is a bug. The service then stops as a whole, with a failure, rather than live on
without it: what watches over it starts it again, and recovery puts the mail in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class LoopDied(Exception):
    """One of the service's loops ended with an exception; the log has it."""


class Loops:
    """Begin with `begin`, end with `end`. `on_death` is called once a task ended with an exception."""

    def __init__(self, on_death: Callable[[], None]) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_death = on_death
        self._died: list[str] = []

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as a task of its own."""
        task = asyncio.create_task(work, name=getattr(work, "__qualname__", "a loop"))
        task.add_done_callback(self._ended)
        self._tasks.add(task)

    async def end(self) -> None:
        """Cancel what still runs and wait for it."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def complain(self) -> None:
        """Raise LoopDied where one did."""
        if self._died:
            raise LoopDied(f"stopped, because {', '.join(self._died)} failed; the log says why")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.critical("loop-died", loop=task.get_name(), exc_info=task.exception())
            self._died.append(task.get_name())
            self._on_death()
