"""What the other workers of this gateway, and the other gateways on its database, have to do with this process.

They share one store, so work that one of them puts there is for whoever comes first. Each tells the others with a bell, and
looks now and then, because a bell can be lost. A process whose lease may have run out must fall silent before they take over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from gateway.notices.worker import NoticeWorker
from gateway.release.scheduler import Scheduler
from gateway.service.muster import SAY_EVERY_S, SILENT_LOOKS, Looks, Muster
from gateway.service.rooms import Rooms
from gateway.service.watch import ailment
from gateway.spool.sql import SqlSpool

RING_EVERY_S = 1.0  # between two looks at the outbox for what another worker put there
LIFE_EVERY_S = 0.5  # well below the grace that the others give before they take over

log = structlog.get_logger()


def hear_other_nodes(spool: SqlSpool, rung: Callable[[], None]) -> None:
    """Call `rung` on this event loop whenever another gateway has put work into the database that we share."""
    loop = asyncio.get_running_loop()

    def heard() -> None:  # on a thread of the store's
        if not loop.is_closed():
            loop.call_soon_threadsafe(rung)

    spool.node.on_bell(heard)


async def look_for_notices(notices: NoticeWorker) -> None:
    """Look often for notices that the other workers put into the outbox."""
    while True:
        await asyncio.sleep(RING_EVERY_S)
        notices.ring()


async def leave_when_cut_off(spool: SqlSpool, scheduler: Scheduler) -> None:
    """Stop delivering, and tell clients that wait for a COMMIT, as soon as other nodes may take this one for dead.

    Clients are told as well where a write hangs; nobody takes over, so deliveries go on.
    """
    while True:
        await asyncio.sleep(LIFE_EVERY_S)
        if spool.node.cut_off:
            log.warning("node.cut-off")
            scheduler.abandon()
        if spool.node.cut_off or spool.node.stuck:
            spool.node.give_up()


class OwnMuster:
    """This worker's part in the muster: it says how it is, and looks at the others."""

    def __init__(self, muster: Muster, worker: int, workers: int) -> None:
        self._muster = muster
        self._worker = worker
        self.others = Looks(muster, [other for other in range(workers) if other != worker], SILENT_LOOKS)

    async def say_often(self, rooms: Rooms) -> None:
        """Say every second how this process is, for ever."""
        while True:
            self._muster.say(self._worker, ailment(rooms.spool, rooms.trouble))
            self.others.look()
            await asyncio.sleep(SAY_EVERY_S)
