"""The download page over a real spool, with a clock that tests move, and a recipient who reads their letters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.links import Links
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from gateway.store.where import Where
from tests.console.browser import read
from tests.console.conftest import ORIGIN, HandClock
from tests.spool.conftest import MASTER
from tests.spool.mails import T0, Ticks
from tests.spool.sharing import sent

TOKYO = ZoneInfo("Asia/Tokyo")
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@dataclass
class Recipient:
    """Somebody with a link, and with the mailbox that it went to."""

    spool: SqlSpool
    links: Links
    client: httpx.AsyncClient
    clock: HandClock
    queue_id: str
    number: int = 0

    @property
    def url(self) -> str:
        return self.links.share_url(self.queue_id, self.number)

    async def look(self) -> httpx.Response:
        return await self.client.get(self.url)

    async def post(self, act: str, **fields: str) -> httpx.Response:
        """Press a button on the page as it stands there; the answer is what the form gives, not the page behind it."""
        page = read(await self.look())
        return await self.client.post(f"{self.url}/{act}", data={**page.fields, **fields}, headers=OWN)

    async def code(self) -> str:
        """Ask for a code and read the letter."""
        assert (await self.post("code")).status_code == 303
        return await self.letter()

    async def letter(self) -> str:
        notices = [n for n in await self.spool.notices.pending(1_000) if n.kind is NoticeKind.CODE]
        mine = [n for n in notices if (n.queue_id, n.recipients) == (self.queue_id, (self.number,))]
        code = self.spool.shares.code_of(mine[-1])
        assert code is not None
        return code

    async def enter(self) -> httpx.Response:
        """Prove the address; the client keeps the cookie."""
        answer = await self.post("open", code=await self.code())
        assert answer.status_code == 303
        assert "set-cookie" in answer.headers
        return await self.client.get(answer.headers["location"])

    async def fetch(self, place: int, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(f"{self.url}/f/{place}", headers=named)


@dataclass
class Desk:
    """Makes recipients."""

    spool: SqlSpool
    links: Links
    client: httpx.AsyncClient
    clock: HandClock

    async def recipient(self, mail: NewMessage) -> Recipient:
        """Send a mail; return its first recipient."""
        queue_id = await sent(self.spool, mail, self.clock.now)
        return Recipient(self.spool, self.links, self.client, self.clock, queue_id)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0)


@pytest.fixture
async def spool(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(Where(tmp_path / "state"), MASTER, serve=True, clock=clock, monotonic=Ticks())
    yield opened
    await opened.close()


@pytest.fixture
def rung() -> list[int]:
    return []


@pytest.fixture
async def client(
    spool: SqlSpool, links: Links, clock: HandClock, rung: list[int]
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        spool, links, clock, TOKYO, "mx.sports.example.jp", checks={}, ring=lambda: rung.append(1)
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as opened:
        yield opened


@pytest.fixture
def desk(spool: SqlSpool, links: Links, client: httpx.AsyncClient, clock: HandClock) -> Desk:
    return Desk(spool, links, client, clock)
