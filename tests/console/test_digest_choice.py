"""The page behind the link of the daily letter: a look changes nothing, a press does, and no other link opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.links import Links
from gateway.spool.values import Actor
from tests.console.browser import read
from tests.console.conftest import ORIGIN, HandClock
from tests.memory_spool import MemorySpool

PERSON = "clerk@sports.example.jp"


class Choices:
    def __init__(self) -> None:
        self.said: list[tuple[str, bool, Actor]] = []

    async def wanted(self, address: str) -> bool:
        return self.said[-1][1] if self.said else True

    async def choose(self, address: str, wanted: bool, actor: Actor, now: datetime) -> None:
        self.said.append((address, wanted, actor))


@pytest.fixture
def choices() -> Choices:
    return Choices()


@pytest.fixture
async def client(links: Links, clock: HandClock, choices: Choices) -> AsyncIterator[httpx.AsyncClient]:
    zone = ZoneInfo("Asia/Tokyo")
    app = create_app(MemorySpool().door(), links, clock, zone, "gw.example.jp", digests=choices)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True) as client:
        yield client


async def test_a_press_switches_it_off_and_on_again(
    client: httpx.AsyncClient, links: Links, choices: Choices
) -> None:
    url = links.digest_url(PERSON)
    page = read(await client.get(url))
    assert choices.said == []
    for button, wanted in (("受信をやめる", False), ("受信を再開する", True)):
        assert button in page.text
        answer = await client.post(url, data=page.fields, headers={"origin": ORIGIN})
        assert answer.status_code == 200
        assert choices.said[-1] == (PERSON, wanted, Actor("person", PERSON))
        page = read(answer)
        assert "保存しました。" in page.text


@pytest.mark.parametrize(
    ("fields", "origin"),
    [({"wanted": "no"}, ORIGIN), ({"wanted": "no", "seal": "x"}, ORIGIN), (None, "https://x.example")],
)
async def test_a_form_that_is_not_ours_changes_nothing(
    client: httpx.AsyncClient, links: Links, choices: Choices, fields: dict[str, str] | None, origin: str
) -> None:
    url = links.digest_url(PERSON)
    token = url.rpartition("/")[2]
    data = fields if fields is not None else {"wanted": "no", "seal": links.seal(token, {"form": 1})}
    assert (await client.post(url, data=data, headers={"origin": origin})).status_code == 403
    assert choices.said == []


async def test_no_other_link_opens_it_and_it_opens_nothing_else(
    client: httpx.AsyncClient, links: Links
) -> None:
    mine = links.digest_url(PERSON).rpartition("/")[2]
    for other in (
        links.url("Q1", PERSON),
        links.approval_url("Q1", PERSON),
        links.incident_url("Q1", PERSON),
    ):
        token = other.rpartition("/")[2]
        assert (await client.get(f"/n/{token}")).status_code == 404
    for place in ("m", "a"):
        assert (await client.get(f"/{place}/{mine}")).status_code == 404
    assert (await client.get(f"/n/{mine[:-2]}")).status_code == 404


async def test_in_english(client: httpx.AsyncClient, links: Links) -> None:
    page = (await client.get(links.digest_url(PERSON) + "?lang=en")).text
    assert "Switch it off" in page
    assert 'lang="en"' in page
