"""How late the event loop is: everything in one process waits for one loop, so this is what every client waits.

A heartbeat asks to be woken after EVERY_S and notes how much later it was; a mail that stalls the loop shows as one late beat.
"""

from __future__ import annotations

import asyncio
import time

from gateway.metrics import LOOP_LAG

EVERY_S = 0.02
"""Seconds between two beats: a stall of 50 ms is never missed, and fifty beats a second cost a thousandth of a core."""


async def watch_lag() -> None:
    """Note the lag until cancelled."""
    while True:
        due = time.monotonic() + EVERY_S
        await asyncio.sleep(EVERY_S)
        LOOP_LAG.observe(max(0.0, time.monotonic() - due))
