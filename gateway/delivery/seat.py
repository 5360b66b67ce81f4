"""A place at a next hop that is kept from one copy to the next.

Copies of one mail leave one after another on the same session, without queueing anew for each of them, and each may be begun
while the one before is on its way. Others get their turn: who keeps a place that somebody waits for gives it up after TURN_S,
or after the copy under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType

from gateway.delivery.hop import Hop
from gateway.delivery.mail import Outgoing
from gateway.delivery.place import Place
from gateway.delivery.pool import Pool
from gateway.delivery.transaction import Following, nobody

TURN_S = 0.1
"""Seconds that a place is kept although somebody waits for it: a dozen copies to a quick host, one to a slow one."""


class Seat:
    """Where one copy after another is delivered, for the length of a block. `following` gives the copy that is the next."""

    def __init__(self, pool: Pool, following: Following = nobody) -> None:
        self._pool = pool
        self._following = following
        self._place: Place | None = None
        self._since = 0.0

    async def __aenter__(self) -> Seat:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def nearest(self, hops: Sequence[Hop]) -> Sequence[Hop]:
        """Return where to connect, before all others the host that was told of the next copy already."""
        place = self._place
        if place is None or not place.begun or place.leads_to(hops[0]):
            return hops
        return sorted(hops, key=lambda hop: hop != place.hop)

    async def at(self, hop: Hop, wait: float) -> Place:
        """Return a place at this host: the one at hand, or another within `wait` seconds. Raises Busy."""
        place = self._place
        if place is not None and place.leads_to(hop) and (place.begun or not self._turn_is_over(place)):
            return place
        self.leave()
        place = self._pool.place(hop, wait)
        await place.enter()
        place.following = self._next
        self._place, self._since = place, asyncio.get_running_loop().time()
        return place

    def _next(self) -> Outgoing | None:
        """Return the copy to begin behind the one under way, if it will be delivered here."""
        place = self._place
        if place is None or not place.takes_ahead or self._turn_is_over(place):
            return None
        return self._following()

    def _turn_is_over(self, place: Place) -> bool:
        return place.wanted and asyncio.get_running_loop().time() - self._since > TURN_S

    def leave(self) -> None:
        """Give up the place at hand, if there is one; the block does so at its end."""
        place, self._place = self._place, None
        if place is not None:
            place.leave()
