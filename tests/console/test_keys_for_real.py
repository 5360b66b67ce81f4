"""The pages over the real spool: from a missing way to a key that was told, with what the store holds and the log says."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa

from gateway.console.app import create_app
from gateway.links import Links
from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.schema import events
from tests.console.browser import answer, read, send
from tests.console.conftest import ORIGIN, HandClock
from tests.memory_spool import mail as octets
from tests.spool.conftest import MASTER
from tests.spool.keyed import DAY, NUMBER, keyed, sealed
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, delivered

TICKED = ("which", "ticked")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def real(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def client(real: SqlSpool, links: Links, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(real, links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp", checks={})
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def waiting(spool: SqlSpool, links: Links, obstacle: str = "") -> tuple[str, str]:
    """Accept a mail of two whose key has no way, or whose files cannot be protected; return its id and its page."""
    way = sealed(None, obstacle=obstacle)
    to = ["r0@example.com", "r1@example.com"]
    queue_id = await spool.accept(replace(keyed(way, way), raw=octets("名簿", to)))
    return queue_id, links.url(queue_id, str(SENDER))


async def arrive(spool: SqlSpool, clock: HandClock) -> None:
    for claim in await spool.claim(clock(), 100, LEASE):
        there = [delivered(recipient.index) for recipient in claim.message.recipients]
        await spool.record(claim, there, clock())


async def states(spool: SqlSpool, queue_id: str) -> list[State]:
    return [row.state for row in (await spool.get(queue_id)).recipients]


async def log_of(spool: SqlSpool) -> str:
    statement = sa.select(events)
    found = await spool.database.readers.run(lambda q: list(q.connection.execute(statement).all()))
    return str(found)


async def test_from_a_missing_way_to_a_key_that_is_told(
    client: httpx.AsyncClient, real: SqlSpool, links: Links, clock: HandClock
) -> None:
    queue_id, url = await waiting(real, links)
    page = await client.get(url)
    assert read(page).text.count("鍵の届け方が決まっていません") == 1
    assert "次のことが済むまで" not in page.text  # the form says it
    assert await states(real, queue_id) == [State.HELD, State.HELD]
    first = await send(
        client, url, "supply", ("way", "sms"), TICKED, ("recipient", "0"), ("number-0", NUMBER)
    )
    assert "1件の宛先について" in await answer(client, first)
    assert await states(real, queue_id) == [State.QUEUED, State.HELD]
    await send(client, url, "supply", ("way", "sender"), TICKED, ("recipient", "1"))
    assert await states(real, queue_id) == [State.QUEUED, State.QUEUED]
    assert "鍵と伝え方を表示する" not in (await client.get(url)).text
    await arrive(real, clock)
    assert "鍵と伝え方を表示する" in (await client.get(url)).text
    shown = await send(client, url, "key")
    key = (await real.keys.to_seal(queue_id, [1]))[1].text
    assert key in shown.text
    assert "r1@example.com" in shown.text
    assert "r0@example.com" not in shown.text  # whose key goes by SMS
    found = {each.recipient: (each.way, each.stage) for each in await real.keys.statuses(queue_id)}
    assert found == {0: (Way.SMS, Stage.READY), 1: (Way.SENDER, Stage.SENT)}
    assert "あなたに表示済み" in read(await client.get(url)).text
    logged = await log_of(real)
    assert "key-shown" in logged
    assert key not in logged
    assert NUMBER not in logged


async def test_an_obstacle_is_explained_and_nobody_releases_it(
    client: httpx.AsyncClient, real: SqlSpool, links: Links
) -> None:
    queue_id, url = await waiting(real, links, "signed")
    text = html.unescape((await client.get(url)).text)
    assert "次のことが済むまで送信しません。" in text
    assert "電子署名付きのメールです。ファイルを保護すると署名が無効になります。" in text
    assert "/supply" not in text
    await send(client, url, "release", ("which", "all"))
    await send(client, url, "supply", ("way", "sender"), ("which", "all"))
    assert await states(real, queue_id) == [State.HELD, State.HELD]
    await send(client, url, "cancel", ("which", "all"))
    assert await states(real, queue_id) == [State.CANCELLED, State.CANCELLED]


async def test_a_way_that_the_rules_do_not_allow_is_nobodys(
    client: httpx.AsyncClient, real: SqlSpool, links: Links
) -> None:
    queue_id, url = await waiting(real, links)
    done = await send(client, url, "supply", ("way", "preagreed"), TICKED, ("recipient", "0"))
    assert "1件は変更できませんでした" in await answer(client, done)
    assert await states(real, queue_id) == [State.HELD, State.HELD]


async def test_a_link_for_somebody_else_shows_no_key(
    client: httpx.AsyncClient, real: SqlSpool, links: Links, clock: HandClock
) -> None:
    """A copy of a notice goes to others; whoever is not the sender gets the page and no key."""
    queue_id = await real.accept(replace(keyed(sealed()), raw=octets("名簿", ["r0@example.com"])))
    await arrive(real, clock)
    shown = await send(client, links.url(queue_id, "stranger@sports.example.jp"), "key")
    assert shown.status_code == 403
    assert (await real.keys.to_seal(queue_id, [0]))[0].text not in shown.text


async def test_after_its_time_a_key_is_gone(
    client: httpx.AsyncClient, real: SqlSpool, links: Links, clock: HandClock
) -> None:
    queue_id = await real.accept(
        replace(keyed(sealed(expires=5 * DAY)), raw=octets("名簿", ["r0@example.com"]))
    )
    await arrive(real, clock)
    url = links.url(queue_id, str(SENDER))
    clock.now = T0 + timedelta(days=6)
    await real.keys.delete_over(clock(), 10)
    shown = await send(client, url, "key")
    assert shown.status_code == 404
    assert "鍵の期限が過ぎた" in shown.text
    assert "送付を止めました" in read(await client.get(url)).text


async def test_the_page_of_an_unknown_mail_tells_nothing(client: httpx.AsyncClient, links: Links) -> None:
    url = links.url("NOTHERE", str(SENDER))
    for path in ("", "/key", "/take-back"):
        answered = await client.get(url + path)
        assert answered.status_code in (303, 404)
        assert not re.search(r"<form", answered.text)
