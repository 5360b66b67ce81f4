"""The jobs of one transaction: who waits for them, on which event loop, and how each gets its answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.store.errors import StoreUnavailable
from gateway.store.segments import Pending, Segments
from gateway.store.tx import Tx

Job = Callable[[Tx], Any]


@dataclass(slots=True)
class Waiting:
    """A job and its caller's future; `result` or `error` is what the caller gets after the transaction."""

    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    pending: Pending | None = None  # a body that must be durable before the job runs
    result: Any = None
    error: BaseException | None = field(default=None)
    given_up: bool = False  # its caller was told that it failed: it is not tried again


def take(waiting: deque[Waiting], limit: int) -> list[Waiting]:
    """Take the oldest out of the queue, `limit` at most."""
    return [waiting.popleft() for _ in range(min(limit, len(waiting)))]


def fail(batch: Sequence[Waiting], error: BaseException | None) -> None:
    """Note why none of these jobs is committed."""
    for waiting in batch:
        waiting.error = error


def with_durable_bodies(batch: Sequence[Waiting], segments: Segments | None) -> list[Waiting]:
    """Make the group's bodies durable; return the jobs whose body is, the others have their error."""
    bodies = [waiting.pending for waiting in batch if waiting.pending is not None]
    if bodies and segments is not None:
        segments.settle(bodies)
    for waiting in batch:
        waiting.error = waiting.pending.error if waiting.pending is not None else None
    return [waiting for waiting in batch if waiting.error is None]


def release_bodies(batch: Sequence[Waiting], segments: Segments | None) -> None:
    """Let go of bodies that have their row or never will; an uncertain COMMIT keeps its segment in use until we end."""
    for waiting in batch:
        uncertain = getattr(waiting.error, "uncertain", False)
        if segments is not None and waiting.pending is not None and not uncertain:
            segments.release(waiting.pending)


def hand_back(batch: Sequence[Waiting]) -> None:
    """Wake each event loop once for all of its jobs."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Waiting]] = defaultdict(list)
    for waiting in batch:
        by_loop[waiting.loop].append(waiting)
    for loop, done in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, done)


def refuse(future: asyncio.Future[Any], error: StoreUnavailable) -> None:
    """Answer a caller who may have been answered already."""
    if not future.done():
        future.set_exception(error)


def _resolve(done: Sequence[Waiting]) -> None:
    for waiting in done:
        if waiting.future.done():  # its coroutine was cancelled; the commit stands all the same
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)
