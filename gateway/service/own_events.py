"""Events about the service itself: that it started and ended, and which policy and accounts came into force.

It is one service, so of several workers only the first writes them.
"""

from __future__ import annotations

import asyncio

import structlog

from gateway import __version__
from gateway.clock import utc_now
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.sql import SqlSpool
from gateway.spool.values import SYSTEM

GOOD_BYE_S = 5.0  # for the last event: a store that hangs must not keep the process from its end
AGAIN_S = 5.0  # before an event that the store did not take is written again

log = structlog.get_logger()


class OwnEvents:
    """Writes them into the event log of `spool`; `first` is whether this is the first worker."""

    def __init__(self, spool: SqlSpool, *, first: bool) -> None:
        self._spool = spool
        self._first = first

    async def note(self, kind: Kind, **detail: object) -> None:
        """Write an event; raises StoreUnavailable."""
        if self._first:
            told = {"version": __version__, **detail}
            await self._spool.note(kind, Reason.SYSTEM, SYSTEM, told, utc_now())

    async def note_in_time(self, kind: Kind, **detail: object) -> None:
        """Write an event as soon as the store takes it: a full disk must neither lose it nor end the service."""
        while True:
            try:
                return await self.note(kind, **detail)
            except StoreUnavailable as error:
                log.warning("event.waits", kind=kind.value, cause=str(error))
                await asyncio.sleep(AGAIN_S)

    async def note_the_end(self) -> None:
        """Write the last event; a store that cannot take it does not make an orderly end a failure."""
        try:
            async with asyncio.timeout(GOOD_BYE_S):
                await self.note(Kind.STOPPED)
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("event.lost", kind=Kind.STOPPED.value, cause=str(error))
