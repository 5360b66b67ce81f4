"""Two administrators who stop each other at once, on two gateways of one database: one of them stays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.people import registry
from gateway.people.contract import Grant, Person, PersonRefused, Role
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.people.conftest import BOSS, House
from tests.postgres import Cluster
from tests.spool.conftest import MASTER

WAITS_S = 0.5  # for the other gateway, which may be waiting for us


@pytest.fixture
def where(postgres: Cluster, tmp_path: Path) -> Iterator[Where]:
    url = postgres.fresh()
    yield Where(tmp_path / "state", url, node="gw1")
    postgres.drop(url)


@pytest.fixture
async def other(spool: SqlSpool, where: Where, tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = open_spool(replace(where, state=tmp_path / "other", node="gw2"), MASTER, serve=True)
    yield opened
    await opened.close()


async def test_one_administrator_stays(
    spool: SqlSpool, other: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = House(spool), House(other)
    for login in ("ann", "bob"):
        await here.add(login, Grant(Role.ADMIN))
    both, original = threading.Barrier(2), registry._keep_an_admin

    def looking(tx: Tx, person: Person) -> None:
        original(tx, person)
        with suppress(threading.BrokenBarrierError):
            both.wait(WAITS_S)

    monkeypatch.setattr(registry, "_keep_an_admin", looking)
    stops = (here.people.suspend("ann", BOSS, here.now), there.people.suspend("bob", BOSS, there.now))
    told = await asyncio.gather(*stops, return_exceptions=True)
    assert sorted(str(each) for each in told) == ["None", "last-admin"]
    assert any(isinstance(each, PersonRefused) for each in told)
    assert len(await here.people.suspended()) == 1
    for house in (here, there):
        house.hashing.close()
