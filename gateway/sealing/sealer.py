"""The way in: `await sealing.look(raw)` and `await sealing.write(raw, order)`, each in bounded time, in a process of its own.

Where there is no process to be had, `look` raises NoChild: the mail is put off at SMTP, never taken in unseen. A process that
dies or takes too long over a mail is an obstacle of that mail (`unread`), which is held. Not in here: what becomes of files
(policy/handle.py), and what is done about a mail that cannot be written (release/).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import TypeVar

import structlog

from gateway.config.settings import Sealing as Settings
from gateway.confined.pool import NoChild, Pool
from gateway.confined.process import ChildDied
from gateway.metrics import SEALING, SEALING_SECONDS
from gateway.policy.handling import Seen
from gateway.sealing.bounds import GRACE_S, seconds_to_look, seconds_to_write
from gateway.sealing.child import Child, NotWritten
from gateway.sealing.order import Order
from gateway.sealing.told import UNREAD

__all__ = ["NoChild", "NotWritten", "Order", "Sealing"]

T = TypeVar("T")
log = structlog.get_logger()


class Sealing:
    """Looks at files and writes mails with protected ones. `close` it in the end; nothing has to be started."""

    def __init__(self, settings: Settings, pool: Pool[Child] | None = None) -> None:
        wait_s = settings.wait.total_seconds()
        self._pool = pool or Pool("sealing", settings.workers, wait_s, partial(Child.start, settings.memory))

    async def look(self, raw: bytes) -> Seen:
        """Return the files of a mail; raises NoChild (busy, broken)."""
        began = perf_counter()
        try:
            seen = await self._asked(lambda child: child.look(raw), seconds_to_look(len(raw)))
        except (TimeoutError, ChildDied) as error:
            why = _ended(error)
            log.warning("sealing.not-looked-at", cause=why, octets=len(raw))
            SEALING.labels("look", why).inc()
            return Seen(obstacle=UNREAD)
        except NoChild as no_child:
            SEALING.labels("look", no_child.why).inc()
            raise
        SEALING.labels("look", "obstacle" if seen.obstacle else "done").inc()
        SEALING_SECONDS.labels("look").observe(perf_counter() - began)
        return seen

    async def write(self, raw: bytes, order: Order) -> bytes:
        """Return the mail with its files as the order says; raises NotWritten."""
        began = perf_counter()
        try:
            made = await self._asked(lambda child: child.write(raw, order), seconds_to_write(len(raw)))
        except NotWritten as not_written:
            SEALING.labels("write", "refused").inc()
            log.warning("sealing.refused", why=not_written.why, octets=len(raw))
            raise
        except (NoChild, TimeoutError, ChildDied) as error:
            why = error.why if isinstance(error, NoChild) else _ended(error)
            SEALING.labels("write", why).inc()
            log.warning("sealing.not-written", cause=why, octets=len(raw))
            raise NotWritten(why, temporary=True) from error
        SEALING.labels("write", "done").inc()
        SEALING_SECONDS.labels("write").observe(perf_counter() - began)
        return made

    async def close(self) -> None:
        """End all processes that seal."""
        await self._pool.close()

    async def _asked(self, ask: Callable[[Child], Awaitable[T]], seconds: float) -> T:
        """Ask one process; whatever does not end well ends it. Raises NoChild, TimeoutError, ChildDied, NotWritten."""
        child = await self._pool.take()
        healthy = False
        try:
            async with asyncio.timeout(seconds + GRACE_S):
                answer = await ask(child)
            healthy = True
            return answer
        except NotWritten:
            healthy = True
            raise
        finally:
            # Also where it is cancelled: a process in the middle of a mail is of no use to another one.
            await asyncio.shield(self._pool.give(child, healthy=healthy))


def _ended(error: TimeoutError | ChildDied) -> str:
    return "too-slow" if isinstance(error, TimeoutError) else "died"
