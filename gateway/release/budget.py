"""A bound on the octets of mail that are in memory at once because they are being delivered.

Without it, a slow next hop and a few hundred large mails would be as many gigabytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LOADED = 128 * 1024 * 1024
"""Octets of originals in memory for delivery. One original larger than this may be loaded alone."""


class Budget:
    """Hands out octets in the order of asking."""

    def __init__(self, octets: int = LOADED) -> None:
        self._limit = octets
        self._used = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def take(self, octets: int) -> AsyncIterator[None]:
        """Wait for room, keep it for the block. First come, first served: a large mail is not overtaken for
        ever."""
        async with self._turn:
            while self._used and self._used + octets > self._limit:
                self._freed.clear()
                await self._freed.wait()
            self._used += octets
        try:
            yield
        finally:
            self._used -= octets
            self._freed.set()
