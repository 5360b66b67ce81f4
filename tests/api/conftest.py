"""The API as it is mounted, over one SQLite store for a module; and stores of both kinds for what it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.acting.acting import Acting
from gateway.acting.on_incidents import ActingOnIncidents
from gateway.api.app import create_api
from gateway.api.calls import SqlCalls
from gateway.api.doors import Doors
from gateway.audit.auditing import Auditing
from gateway.audit.daily import DailyFigures
from gateway.audit.log import EventLog
from gateway.incidents.door import Duty, Incidents
from gateway.spool.sql import SqlSpool, open_spool
from tests.api.known import KnownPeople
from tests.spool.conftest import MASTER, spool, ticks, where
from tests.spool.mails import T0

__all__ = ["spool", "ticks", "where"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlSpool]:
    """A store that the tests of one module share."""
    opened = open_spool(tmp_path_factory.mktemp("api") / "state", MASTER, serve=True, clock=lambda: T0)
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def people() -> KnownPeople:
    return KnownPeople()


@pytest.fixture
def doors(people: KnownPeople, shared: SqlSpool) -> Doors:
    database = shared.database
    return Doors(
        people=people,
        acting=Acting(shared, lambda: T0),
        incidents=ActingOnIncidents(shared, Incidents(database, Duty()), lambda: T0),
        log=EventLog.over(database.readers),
        daily=DailyFigures(database.readers, ZoneInfo("Asia/Tokyo"), lambda: T0),
        calls=SqlCalls(database),
        clock=lambda: T0,
        auditing=Auditing(database, lambda: T0, groups=lambda: ["hall"]),
        zone=ZoneInfo("Asia/Tokyo"),
    )


@pytest.fixture
async def client(doors: Doors) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(doors) as made:
        yield made


def client_of(doors: Doors) -> httpx.AsyncClient:
    """Return a client of an API with these doors."""
    app = Starlette(routes=[Mount("/api/v1", create_api(doors))])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gw.example/api/v1")
