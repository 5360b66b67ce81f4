"""The stores that the contract suite runs against: another one is a further entry of STORES."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.keys import MasterKey
from tests.spool.mails import T0, Ticks

MASTER = MasterKey(bytes(range(32)))


def _sqlite(state: Path, ticks: Ticks) -> SqlSpool:
    return open_spool(state, MASTER, serve=True, clock=lambda: T0, monotonic=ticks)


STORES: dict[str, Callable[[Path, Ticks], SqlSpool]] = {"sqlite": _sqlite}


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture(params=sorted(STORES))
async def spool(request: pytest.FixtureRequest, tmp_path: Path, ticks: Ticks) -> AsyncIterator[SqlSpool]:
    opened = STORES[request.param](tmp_path / "state", ticks)
    yield opened
    await opened.close()
