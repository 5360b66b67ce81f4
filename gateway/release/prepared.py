"""What all copies of one mail share: computed once, off the event loop where that takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.delivery.dots import Stuffed, stuffed
from gateway.delivery.mail import has_8bit
from gateway.transform.render import Original, is_quick, prepare_views, unprepared
from gateway.transform.view import View

QUICK_BODY = 1 << 20
"""Octets of a body that are read through on the event loop: a millisecond at most."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The original, and of its body at most CHUNK octets (dots.py) beside it."""

    original: Original
    eight_bit: bool
    ready: Stuffed | None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def views(self, views: Sequence[View]) -> None:
        """Compute what copies with these views share; off the loop where that takes long, and once for all claims."""
        async with self.turn:
            missing = unprepared(self.original, views)
            if missing and not is_quick(self.original):
                await asyncio.to_thread(prepare_views, self.original, missing)


async def look_through(original: Original) -> Prepared:
    """Read through a body once for all copies; a large one in a thread, for it takes some ten milliseconds."""
    body = original.body
    found = has_8bit(body) if body.nbytes <= QUICK_BODY else await asyncio.to_thread(has_8bit, body)
    return Prepared(original, found, stuffed(body))
