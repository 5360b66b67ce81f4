"""A freeze on one gateway while another writes that an attempt has failed: the recipient is held, whoever comes first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from gateway.spool import freezes, halts, recording, releasing
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.errors import StoreUnavailable
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.asking import asking
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, MINUTE, T0, deferred, mail

SENDER = Actor("sender")
WAITS_S = 0.5  # for the other gateway, which may be waiting for us


@pytest.fixture
def where(postgres: Cluster, tmp_path: Path) -> Iterator[Where]:
    url = postgres.fresh()
    yield Where(tmp_path / "state", url, node="gw1")
    postgres.drop(url)


@pytest.fixture
async def other(where: Where, tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = open_spool(replace(where, state=tmp_path / "other", node="gw2"), MASTER, serve=True)
    yield opened
    await opened.close()


async def test_what_is_deferred_while_another_gateway_freezes_is_held(
    spool: SqlSpool, other: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, frozen = threading.Event(), threading.Event()

    def hold_deferred(tx: Tx, queue_id: str, deferred: Collection[int], now: int) -> None:
        freezes.hold_deferred(tx, queue_id, deferred, now)
        looked.set()
        frozen.wait(WAITS_S)

    queue_id = await spool.accept(mail(queued=1))
    (claim,) = await spool.claim(T0, 1, LEASE)
    monkeypatch.setattr(recording, "hold_deferred", hold_deferred)
    being_recorded = asyncio.create_task(spool.record(claim, [deferred(0, T0 + MINUTE)], T0))
    assert await asyncio.to_thread(looked.wait, 10)
    await other.halts.freeze(queue_id, SENDER, "", T0)
    frozen.set()
    await being_recorded
    message = await other.get(queue_id)
    assert (message.recipients[0].state, message.frozen is not None) == (State.HELD, True)


@pytest.mark.parametrize(("module", "name"), [(releasing, "_kept"), (halts, "_held")])
async def test_who_moves_the_end_of_a_window_does_not_end_a_freeze(
    spool: SqlSpool, other: SqlSpool, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    """What they read before is not so any more: nothing may leave of a mail that another gateway froze in between."""
    read, frozen, original = threading.Event(), threading.Event(), getattr(module, name)

    def slow(*args: object) -> object:
        found = original(*args)
        read.set()
        frozen.wait(10)
        return found

    queue_id = await spool.accept(asking(window=10 * MINUTE, firm=5 * MINUTE, outside=1))
    monkeypatch.setattr(module, name, slow)
    verb = (
        spool.release(queue_id, None, SENDER, Reason.BY_SENDER, T0)
        if module is releasing
        else spool.halts.extend(queue_id, T0 + 20 * MINUTE, SENDER, T0)
    )
    moving = asyncio.create_task(verb)
    assert await asyncio.to_thread(read.wait, 10)
    assert (await other.halts.freeze(queue_id, SENDER, "", T0)).done == (0,)
    frozen.set()
    with suppress(StoreUnavailable):
        assert (await moving).done == ()
    assert await other.release_due(T0 + 30 * MINUTE, 10) == 0
    assert (await other.halts.thaw(queue_id, SENDER, T0)).done == (0,)
