"""The pages of signing in over a real store, and a browser that keeps its cookies."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette

from gateway.console.app import create_app
from gateway.console.people.doors import People
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.spool.sql import open_spool
from tests.console.conftest import ORIGIN, HandClock
from tests.people.conftest import GOOD, House
from tests.people.conftest import empty_state as empty_state
from tests.spool.conftest import MASTER

SESSION = "__Host-sekisho"


class Browser:
    """Looks at pages and fills in their forms."""

    def __init__(self, app: Starlette, address: str = "192.0.2.7") -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
        self.client = httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers={"accept-language": "en"}
        )

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def follow(self, response: httpx.Response) -> httpx.Response:
        """Go where a redirect leads, once."""
        assert response.status_code == 303, response.text
        return await self.client.get(response.headers["location"])

    async def sign_in(self, login: str, password: str = GOOD, wanted: str = "") -> httpx.Response:
        page = await self.get(f"/sign-in?next={wanted}" if wanted else "/sign-in")
        return await self.post(page, "/sign-in", login=login, password=password)

    async def post(
        self, page: httpx.Response, action: str, /, **fields: str | Sequence[str]
    ) -> httpx.Response:
        """Send the form of a page that goes to `action`, with these fields."""
        given = {name: value for name, value in hidden(page.text, action) if name not in fields}
        return await self.client.post(action, data={**given, **fields})

    @property
    def cookie(self) -> str:
        return self.client.cookies.get(SESSION) or ""


def hidden(text: str, action: str) -> list[tuple[str, str]]:
    """Return the hidden fields of the form that goes to `action`."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.DOTALL)
    assert form is not None, f"no form to {action}"
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])
    return [(name, unescape(value)) for name, value in found]


@pytest.fixture
async def house(tmp_path: Path, empty_state: Path, clock: HandClock) -> AsyncIterator[House]:
    shutil.copytree(empty_state, tmp_path / "state")
    spool = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    made = House(spool)
    made.now = clock.now
    yield made
    made.hashing.close()
    await spool.close()


@pytest.fixture
async def app(house: House, links: Links, clock: HandClock) -> Starlette:
    people = People(house.people, house.settings, groups=lambda: ("halls", "sports", "文化 会館"))
    await house.add("ann", Grant(Role.SENDER))
    zone, letters = ZoneInfo("Asia/Tokyo"), house.spool.digests
    return create_app(house.spool, links, clock, zone, "mx.example.jp", people=people, digests=letters)


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[Browser]:
    made = Browser(app)
    yield made
    await made.client.aclose()
