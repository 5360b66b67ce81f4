"""Watches over the running service: the readiness checks, the spool's figures for the dashboards, the free space.

Nothing here changes anything; a check that fails says so in /readyz and in `sekisho_ready`.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.config.delivery_settings import Smarthost
from gateway.config.policies import PolicyInForce
from gateway.console.probes import Check, NotReady, run_checks
from gateway.service.muster import Looks
from gateway.spool.contract import StoreDamaged, StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool

FIGURES_EVERY_S = 5.0
READINESS_EVERY_S = 15.0
TROUBLE_S = 30.0  # /readyz stays red after a mail that could not be stored: two or three scrapes see it
SPACE_VALID_S = 1.0  # no mail that fits a second's intake empties what minimum_free_space leaves
HOP_VALID_S = 30.0  # a next hop that answered is not asked again for this long: its log is somebody's
HOP_TIMEOUT_S = 2.5

DAMAGED = "the database is damaged ({cause}): stop the gateway and run sekisho doctor --repair"

log = structlog.get_logger()


class FreeSpace:
    """Tells whether the state directory's disk has the room that intake wants to see; looks at most once a second."""

    def __init__(self, folder: Path, minimum: int) -> None:
        self._folder = folder
        self._minimum = minimum
        self._enough = True
        self._look_at = 0.0

    @property
    def enough(self) -> bool:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + SPACE_VALID_S
            self._enough = shutil.disk_usage(self._folder).free >= self._minimum
        return self._enough


class StoreTrouble:
    """Remembers for a while that a mail could not be stored: reads may go on well where writes fail (quota, read-only)."""

    def __init__(self) -> None:
        self._until = 0.0

    def seen(self) -> None:
        """Note that the store refused a mail just now."""
        self._until = time.monotonic() + TROUBLE_S

    @property
    def recent(self) -> bool:
        return time.monotonic() < self._until


class NextHopProbe:
    """Connects to the smarthost now and then; without one there is no single next hop to ask."""

    def __init__(self, smarthost: Smarthost | None) -> None:
        self._smarthost = smarthost
        self._good_until = 0.0

    async def check(self) -> None:
        """Raise NotReady where nobody listens."""
        now = asyncio.get_running_loop().time()
        if self._smarthost is None or now < self._good_until:
            return
        try:
            async with asyncio.timeout(HOP_TIMEOUT_S):
                _, writer = await asyncio.open_connection(self._smarthost.host, self._smarthost.port)
        except (OSError, TimeoutError):
            raise NotReady("the smarthost does not answer") from None
        writer.close()
        self._good_until = now + HOP_VALID_S


def ailment(spool: SqlSpool, trouble: StoreTrouble) -> str:
    """Return what is wrong with this process's store, empty where nothing is known to be."""
    if spool.node.cut_off:
        return "cut off from the database: other nodes take over what this one was delivering"
    if spool.node.damage:
        return DAMAGED.format(cause=spool.node.damage)
    if spool.node.stuck:
        return "the store does not answer: a write is under way for too long"
    if trouble.recent:
        return "mail could not be stored a moment ago; see store_unavailable in the log"
    return ""


def readiness(
    spool: SqlSpool,
    policy: PolicyInForce,
    space: FreeSpace,
    trouble: StoreTrouble,
    hop: NextHopProbe,
    others: Looks,
) -> Mapping[str, Check]:
    """Return the checks of /readyz by name; `others` are the other workers of this gateway."""

    async def store() -> None:
        # Before the read, because one that waits for a database behind a cut link would take all the time there is.
        _refuse_ailing(spool, trouble)
        with suppress(StoreDamaged):  # told next
            await spool.figures()
        _refuse_ailing(spool, trouble)
        if complaints := others.complaints():
            raise NotReady("; ".join(complaints))

    async def disk() -> None:
        if not space.enough:
            raise NotReady("less free space than minimum_free_space")

    async def policies() -> None:
        if policy.problems is not None:
            raise NotReady("the policy files are broken; see sekisho policy check")

    return {"store": store, "disk": disk, "policy": policies, "next_hop": hop.check}


def _refuse_ailing(spool: SqlSpool, trouble: StoreTrouble) -> None:
    if ailing := ailment(spool, trouble):
        raise NotReady(ailing)


async def publish_readiness(checks: Mapping[str, Check]) -> None:
    """Run the readiness checks now and then, so that `sekisho_ready` tells the truth when nobody asks /readyz."""
    while True:
        await run_checks(checks)
        await asyncio.sleep(READINESS_EVERY_S)


async def publish_figures(spool: SqlSpool, clock: Clock) -> None:
    """Put the spool's figures into the gauges every few seconds, for ever; a failing store is waited for.

    What `sekisho held cancel` did in its own process is counted here; the page counts what it does itself.
    """
    seen: int | None = None
    while True:
        try:
            figures = await spool.figures()
            seen, cancelled = await spool.cancels_by_admin(seen)
            metrics.CANCELLED.labels(Reason.BY_ADMIN.value).inc(cancelled)
        except StoreUnavailable:
            log.warning("figures.unavailable")
        else:
            for state in State:
                metrics.QUEUE.labels(state.value).set(figures.by_state.get(state, 0))
            due = figures.oldest_due
            metrics.OLDEST_DUE.set(max(0.0, (clock() - due).total_seconds()) if due else 0.0)
            metrics.PENDING_NOTICES.set(figures.pending_notices)
        await asyncio.sleep(FIGURES_EVERY_S)
