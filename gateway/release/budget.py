"""A bound on the octets of mail that are in memory at once because they are being delivered.

Without it, a slow next hop and a few hundred large mails would be as many gigabytes. Small mails have room of their own: one
of 25 MiB whose files are sealed takes 137 MiB, and a next hop may keep it for minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

LOADED = 128 * 1024 * 1024
"""Octets of originals in memory for delivery. One original larger than the room for large ones may be loaded alone there."""

FOR_SMALL = 4
"""One part in so many is for small mails alone."""

SMALL = 8
"""A small mail takes at most one part in so many of that room: 4 MiB."""


class Budget:
    """Hands out octets in the order of asking, to small mails and to large ones."""

    def __init__(self, octets: int = LOADED) -> None:
        small = octets // FOR_SMALL
        self._most_of_small = small // SMALL
        self._small, self._large = _Room(small), _Room(octets - small)

    @property
    def used(self) -> int:
        """The octets that are taken now."""
        return self._small.used + self._large.used

    def take(self, octets: int) -> AbstractAsyncContextManager[None]:
        """Wait for room, keep it for the block. First come, first served: a large mail is not overtaken by
        others for ever."""
        room = self._small if octets <= self._most_of_small else self._large
        return room.take(octets)


class _Room:
    """So many octets; what is larger goes alone."""

    def __init__(self, octets: int) -> None:
        self._limit = octets
        self.used = 0
        self._asking = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def take(self, octets: int) -> AsyncIterator[None]:
        if self._asking or self._is_full_for(octets):
            await self._wait(octets)
        self.used += octets
        try:
            yield
        finally:
            self.used -= octets
            self._freed.set()

    async def _wait(self, octets: int) -> None:
        """Wait until it is our turn and there is room; whoever comes meanwhile waits behind us."""
        self._asking += 1
        try:
            async with self._turn:
                while self._is_full_for(octets):
                    self._freed.clear()
                    await self._freed.wait()
        finally:
            self._asking -= 1

    def _is_full_for(self, octets: int) -> bool:
        return bool(self.used) and self.used + octets > self._limit
