"""The stores that the contract suite runs against: another one is a further entry of STORES."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.keys import MasterKey
from tests.spool.mails import T0

MASTER = MasterKey(bytes(range(32)))


def _sqlite(state: Path) -> SqlSpool:
    return open_spool(state, MASTER, serve=True, clock=lambda: T0)


STORES: dict[str, Callable[[Path], SqlSpool]] = {"sqlite": _sqlite}


@pytest.fixture(params=sorted(STORES))
async def spool(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = STORES[request.param](tmp_path / "state")
    yield opened
    await opened.close()
