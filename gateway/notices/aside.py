"""Runs a function aside in a thread, for a bounded time. A thread cannot be ended: one that hangs is given up, and counted.

The threads are daemons: the process can end while one of them hangs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NoThread(Exception):
    """As many threads as may be are given up and still run."""


class Aside:
    """`patience` is in seconds; at most `lost` threads run on after their time."""

    def __init__(self, patience: float, lost: int) -> None:
        self._patience = patience
        self._places = threading.BoundedSemaphore(lost + 1)

    async def run(self, work: Callable[[], T]) -> T:
        """Return or raise what `work` does; raises TimeoutError when it takes too long, NoThread when none is left."""
        if not self._places.acquire(blocking=False):
            raise NoThread
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(value: T | None, error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(value)  # type: ignore[arg-type]
            else:
                done.set_exception(error)

        def body() -> None:
            value, problem = None, None
            try:
                value = work()
            except Exception as error:
                problem = error
            self._places.release()
            try:
                loop.call_soon_threadsafe(tell, value, problem)
            except RuntimeError:
                return  # the loop has ended meanwhile: nobody waits for this

        threading.Thread(target=body, name="compose", daemon=True).start()
        async with asyncio.timeout(self._patience):
            return await done
