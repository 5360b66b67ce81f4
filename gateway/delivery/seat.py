"""A place at a next hop that is kept from one copy to the next.

Copies of one mail leave one after another on the same session, without queueing anew for each of them. Others get their turn:
who keeps a place that somebody waits for gives it up after TURN_S, or after the copy under way.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from gateway.delivery.hop import Hop
from gateway.delivery.pool import Place, Pool

TURN_S = 0.1
"""Seconds that a place is kept although somebody waits for it: a dozen copies to a quick host, one to a slow one."""


class Seat:
    """Where one copy after another is delivered, for the length of a block."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._place: Place | None = None
        self._since = 0.0

    async def __aenter__(self) -> Seat:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    async def at(self, hop: Hop, wait: float) -> Place:
        """Return a place at this host: the one at hand, or another within `wait` seconds. Raises Busy."""
        now = asyncio.get_running_loop().time()
        place = self._place
        if place is not None and place.hop == hop and not (place.wanted and now - self._since > TURN_S):
            return place
        self._leave()
        place = self._pool.place(hop, wait)
        await place.enter()
        self._place, self._since = place, now
        return place

    def _leave(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            place.leave()
