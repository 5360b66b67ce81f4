"""A mail to very many does not keep the others waiting: with the real store, a slow hop and little room."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from gateway.release.housekeeping import Housekeeping
from gateway.release.scheduler import CLAIMS_PER_PLACE, Scheduler
from gateway.spool.sql import open_spool
from gateway.spool.values import Claim
from tests.spool.conftest import MASTER
from tests.spool.mails import T0, mail

DAY = timedelta(days=1)


async def test_a_colleague_s_mail_overtakes_a_mail_to_many(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True, clock=lambda: T0)
    large = await spool.accept(mail(queued=5 * CLAIMS_PER_PLACE))
    served: list[tuple[str, int]] = []
    slow, small_done = asyncio.Event(), asyncio.Event()

    async def handle(claim: Claim, _until: float, _raw: bytes | None) -> None:
        served.append((claim.message.queue_id, len(claim.message.recipients)))
        if claim.message.queue_id == large:
            await slow.wait()
        else:
            small_done.set()

    housekeeping = Housekeeping(
        spool, give_up_after=DAY, delay_notice_after=DAY, bodies_after=DAY, records_after=DAY
    )
    scheduler = Scheduler(spool, handle, lambda: T0, housekeeping, concurrency=1)
    running = asyncio.create_task(scheduler.run())
    while not served:  # noqa: ASYNC110 - a list tells nobody
        await asyncio.sleep(0.01)
    await spool.accept(mail(queued=1))
    scheduler.wake()
    async with asyncio.timeout(10):
        await small_done.wait()
    assert sum(count for queue_id, count in served if queue_id == large) <= CLAIMS_PER_PLACE // 2
    slow.set()
    async with asyncio.timeout(10):
        while sum(count for queue_id, count in served if queue_id == large) < 5 * CLAIMS_PER_PLACE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await scheduler.stop(1)
    await running
    await spool.close()
