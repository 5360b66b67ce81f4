"""Cancels against release and claim at the due moment: the answer is always the truth."""

from __future__ import annotations

import asyncio
import random
import threading

from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor, Change
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, T0, WINDOW, delivered, mail

MAILS, RECIPIENTS = 300, 5
DUE = T0 + WINDOW


async def _cancel_all(spool: SqlSpool, ids: list[str], told: dict[tuple[str, int], bool]) -> None:
    for queue_id, index in random.sample(
        [(q, i) for q in ids for i in range(RECIPIENTS)], len(ids) * RECIPIENTS
    ):
        change = await spool.cancel(queue_id, [index], Actor("sender"), Reason.BY_SENDER, DUE)
        assert (index in change.done) != bool(change.not_done)
        told[queue_id, index] = index in change.done


async def _deliver(spool: SqlSpool, left: set[tuple[str, int]], done: asyncio.Event) -> None:
    while True:
        finished = done.is_set()
        released = await spool.release_due(DUE, 7)
        claims = await spool.claim(DUE, 11, LEASE)
        for claim in claims:
            indexes = [r.index for r in claim.message.recipients]
            left.update((claim.message.queue_id, index) for index in indexes)
            change = await spool.record(claim, [delivered(i) for i in indexes], DUE)
            assert change == Change(tuple(indexes), ())
        if finished and not released and not claims:
            return


async def _check(spool: SqlSpool, told: dict[tuple[str, int], bool], left: set[tuple[str, int]]) -> None:
    assert len(told) == MAILS * RECIPIENTS
    for (queue_id, index), cancelled in told.items():
        assert cancelled != ((queue_id, index) in left)
    counts = (await spool.figures()).by_state
    assert counts[State.CANCELLED] == sum(told.values())
    assert counts[State.DELIVERED] == len(left)


async def test_a_cancelled_recipient_never_leaves(spool: SqlSpool) -> None:
    ids = await asyncio.gather(*[spool.accept(mail(held=RECIPIENTS)) for _ in range(MAILS)])
    told: dict[tuple[str, int], bool] = {}
    left: set[tuple[str, int]] = set()
    done = asyncio.Event()
    delivery = asyncio.create_task(_deliver(spool, left, done))
    await asyncio.gather(*[_cancel_all(spool, ids[n::8], told) for n in range(8)])
    done.set()
    await delivery
    await _check(spool, told, left)


async def test_so_it_is_when_another_process_cancels(spool: SqlSpool) -> None:
    """A second store on the same file, with its own connections and thread, as the command line has."""
    ids = await asyncio.gather(*[spool.accept(mail(held=RECIPIENTS)) for _ in range(MAILS)])
    told: dict[tuple[str, int], bool] = {}
    left: set[tuple[str, int]] = set()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def other() -> None:
        second = open_spool(spool.database.where, MASTER)
        await asyncio.gather(*[_cancel_all(second, ids[n::4], told) for n in range(4)])
        await second.close()
        loop.call_soon_threadsafe(done.set)

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    await _deliver(spool, left, done)
    await asyncio.to_thread(thread.join)
    await _check(spool, told, left)
