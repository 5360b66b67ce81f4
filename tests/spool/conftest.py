"""The stores that the contract suite runs against, each test in a fresh one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.mails import T0, Ticks

MASTER = MasterKey(bytes(range(32)))


STORES = ("sqlite", "postgres")


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture(params=STORES)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    """An empty store of either kind."""
    if request.param == "sqlite":
        yield Where(tmp_path / "state")
        return
    server: Cluster = request.getfixturevalue("postgres")
    url = server.fresh()
    yield Where(tmp_path / "state", url, node="gw1")
    server.drop(url)


@pytest.fixture
async def spool(where: Where, ticks: Ticks) -> AsyncIterator[SqlSpool]:
    opened = open_spool(where, MASTER, serve=True, clock=lambda: T0, monotonic=ticks)
    yield opened
    await opened.close()
