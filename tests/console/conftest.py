"""The console over a spool in memory, with a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.console.app import create_app
from gateway.links import Links
from tests.console.fake_keys import FakeKeys, FakeShares
from tests.memory_spool import NOON, MemorySpool

ORIGIN = "https://sekisho.example.jp"
SECRET = b"a secret of at least 32 octets, for tests"


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    now: datetime = NOON + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def events() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; and no traceback is rendered, which takes longer than the test."""
    with capture_logs() as logged:
        yield logged


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def links(clock: HandClock) -> Links:
    return Links(SECRET, ORIGIN, timedelta(days=7), clock)


class FileSpool(MemorySpool):
    """A spool in memory with keys and shares."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = FakeKeys()
        self.shares = FakeShares()


@pytest.fixture
def spool() -> FileSpool:
    return FileSpool()


@pytest.fixture
async def client(spool: MemorySpool, links: Links, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(spool.door(), links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp", checks={})
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client
