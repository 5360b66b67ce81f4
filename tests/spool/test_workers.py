"""Several workers on one SQLite: what one has leased is its own while it lives, whatever the wall clock says."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store import instance
from gateway.store.errors import StateInUse
from gateway.store.where import Where
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, T0, delivered, mail


def worker(state: Path, number: int) -> SqlSpool:
    return open_spool(Where(state, worker=number, workers=2), MASTER, serve=True)


async def test_a_clock_that_steps_forward_takes_no_lease_from_a_living_worker(tmp_path: Path) -> None:
    """Its mail would be sent a second time while it sends it."""
    first, second = worker(tmp_path, 0), worker(tmp_path, 1)
    await first.recover(T0)
    await second.recover(T0)
    queue_id = await first.accept(mail(queued=1))
    (claim,) = await second.claim(T0, 10, LEASE)
    later = T0 + LEASE + timedelta(days=1)
    assert await first.recover(later) == 0
    assert await first.claim(later, 10, LEASE) == []
    assert (await second.record(claim, [delivered(0)], later)).done == (0,)
    assert (await first.get(queue_id)).recipients[0].state is State.DELIVERED
    for one in (first, second):
        await one.close()


async def test_who_starts_waits_for_a_worker_that_outlived_its_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What that one has leased is under way until it ends."""
    first, second = worker(tmp_path, 0), worker(tmp_path, 1)
    await first.accept(mail(queued=1))
    (claim,) = await second.claim(T0, 10, LEASE)
    await first.close()
    with monkeypatch.context() as impatient:
        impatient.setattr(instance, "WORKERS_END_S", 0.2)
        with pytest.raises(StateInUse, match="worker of an earlier sekisho serve"):
            worker(tmp_path, 0)
    starting = asyncio.create_task(asyncio.to_thread(worker, tmp_path, 0))
    await asyncio.sleep(0.3)
    assert not starting.done()
    await second.record(claim, [delivered(0)], T0)
    await second.close()
    again = await starting
    assert await again.recover(T0) == 0
    await again.close()
