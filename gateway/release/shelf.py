"""Mails of which several claims work at the same time or one after another: read, decrypted and prepared once for all.

A mail to 40,000 people is claimed some sixty recipients at a time; what all its copies share takes longer to compute than
the sixty copies. A mail leaves the shelf KEEP_S after its last claim, or when ROOM is used up and nobody works on it. Mails
that one claim covers do not come here. What is on the shelf never changes: neither does an accepted mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from gateway.spool.values import Stored

KEEP_S = 5.0
"""Seconds between two claims of one mail: the scheduler looks once a second at least."""

ROOM = 64 * 1024 * 1024
"""Octets of originals that nobody works on; those of claims under way are in the Budget."""

T = TypeVar("T")


@dataclass
class _Kept(Generic[T]):
    made: asyncio.Task[T]
    octets: int
    users: int = 0
    timer: asyncio.TimerHandle | None = None


def is_whole(message: Stored) -> bool:
    """Tell whether a claim covers all of its mail: then there is nobody to share with."""
    return len(message.recipients) >= len(message.envelope.recipients)


class Shelf(Generic[T]):
    """Keeps what `make` made of a mail while there are claims of it."""

    def __init__(self, room: int = ROOM, keep_s: float = KEEP_S) -> None:
        self._room = room
        self._keep_s = keep_s
        self._kept: dict[str, _Kept[T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @asynccontextmanager
    async def share(self, message: Stored, make: Callable[[], Awaitable[T]]) -> AsyncIterator[T]:
        """Give what `make` makes for the length of the block, made once; a failure is not kept, and told to all who wait."""
        kept = self._take(message, make)
        try:
            yield await asyncio.shield(kept.made)
        finally:
            self._leave(message.queue_id, kept)

    def _take(self, message: Stored, make: Callable[[], Awaitable[T]]) -> _Kept[T]:
        kept = self._kept.get(message.queue_id)
        if kept is None:
            made = asyncio.create_task(_awaited(make))
            made.add_done_callback(partial(self._made, message.queue_id))
            kept = self._kept[message.queue_id] = _Kept(made, message.size_bytes)
        if kept.timer is not None:
            kept.timer.cancel()
            kept.timer = None
        kept.users += 1
        return kept

    def _leave(self, queue_id: str, kept: _Kept[T]) -> None:
        kept.users -= 1
        if kept.users or self._kept.get(queue_id) is not kept:
            return
        kept.timer = asyncio.get_running_loop().call_later(self._keep_s, self._drop, queue_id)
        unused = {name: each for name, each in self._kept.items() if not each.users}
        while sum(each.octets for each in unused.values()) > self._room:
            oldest = next(iter(unused))
            del unused[oldest]
            self._drop(oldest)

    def _made(self, queue_id: str, made: asyncio.Task[T]) -> None:
        """Forget a failure: the next claim tries again."""
        kept = self._kept.get(queue_id)
        failed = made.cancelled() or made.exception() is not None
        if failed and kept is not None and kept.made is made:
            self._drop(queue_id)

    def _drop(self, queue_id: str) -> None:
        kept = self._kept.pop(queue_id)
        if kept.timer is not None:
            kept.timer.cancel()
        kept.made.cancel()


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
