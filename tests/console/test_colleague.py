"""The page behind a colleague's link, over the real spool: what it shows, what its button does, and what it says too late."""

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

from gateway.console.app import create_app
from gateway.links import LinkInvalid, Links
from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from tests.console.conftest import ORIGIN, SECRET, HandClock
from tests.console.signing import KnownSessions
from tests.console.test_second_look import page_of, post, press, states
from tests.memory_spool import mail as octets
from tests.spool.asking import CHIEF, approval, asking
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, SENDER, T0
from tests.spool.test_colleagues import stoppable

HELD, QUEUED, CANCELLED = State.HELD, State.QUEUED, State.CANCELLED


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def spool(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def people() -> KnownSessions:
    return KnownSessions()


@pytest.fixture
def links(clock: HandClock) -> Links:
    return Links(SECRET, ORIGIN, timedelta(days=7), clock)


@pytest.fixture
async def client(
    spool: SqlSpool, links: Links, clock: HandClock, people: KnownSessions
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        spool, links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp", checks={}, sessions=people
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True) as client:
        yield client


def held() -> NewMessage:
    """Return a mail that shows r0 in To; r1 was in Bcc."""
    return replace(stoppable(), raw=octets("教室のお知らせ", ["r0@example.com"]))


async def test_the_page_shows_what_the_copy_showed_and_how_many_wait(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held())
    answer = await client.get(page_of(links.colleague_url(queue_id, 2)))
    text = html.unescape(answer.text)
    for told in (
        "まだ外部へ送信されていません",
        "教室のお知らせ",
        str(SENDER),
        "外部の宛先2件への送信が保留されています。",
        "4月1日(水) 18:10 に送信されます。",
        "r0@example.com",
        "r2@example.com",
    ):
        assert told in text
    assert "r1@example.com" not in text  # it stands in no field of the copy
    assert "SECRET-OF-THE" not in text
    assert answer.headers["cache-control"] == "no-store"
    english = await client.get(page_of(links.colleague_url(queue_id, 2)) + "?lang=en")
    assert "This mail has not left for outside yet" in english.text


async def test_opening_the_link_stops_nothing(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held())
    page = page_of(links.colleague_url(queue_id, 2))
    await client.get(page)
    await client.head(page)
    assert (await client.get(f"{page}/stop")).status_code == 405
    assert (await post(client, page, "stop", ("because", "x"))).status_code == 403
    assert (await post(client, page, "stop", ("seal", "forged"), ("because", "x"))).status_code == 403
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]


async def test_somebody_who_was_suspended_stops_nothing(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, people: KnownSessions
) -> None:
    queue_id = await spool.accept(held())
    page = page_of(links.colleague_url(queue_id, 2))
    gone = people.add("gone", addresses=((await spool.get(queue_id)).envelope.recipients[2].key,))
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get(page)).text)
    assert seal is not None
    people.people["gone"] = replace(gone, suspended=True)
    assert (await client.get(page)).status_code == 410
    assert (await post(client, page, "stop", ("seal", seal[1]), ("because", "x"))).status_code == 410
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]


async def test_it_takes_a_reason(client: httpx.AsyncClient, spool: SqlSpool, links: Links) -> None:
    queue_id = await spool.accept(held())
    page = page_of(links.colleague_url(queue_id, 2))
    answer = await press(client, page, "stop", ("because", " "))
    assert "止める理由を書いてください。" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]


async def test_stopping_it_says_the_truth_before_and_after(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held())
    page = page_of(links.colleague_url(queue_id, 2))
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get(page)).text)
    assert seal is not None
    answer = await press(client, page, "stop", ("because", "宛先が違います"))
    assert "2件の宛先への送信を止めました。" in answer.text
    assert "<button" not in answer.text
    assert await states(spool, queue_id) == [CANCELLED, CANCELLED, QUEUED]
    again = await post(client, page, "stop", ("seal", seal[1]), ("because", "x"))  # another window
    assert "2件の宛先には間に合いませんでした。" in again.text


async def test_when_it_has_left_the_page_says_so_and_leads_to_the_report(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, clock: HandClock
) -> None:
    queue_id = await spool.accept(held())
    clock.now = T0 + timedelta(minutes=11)
    await spool.release_due(clock.now, 10)
    assert len(await spool.claim(clock.now, 10, 5 * MINUTE)) == 1
    page = page_of(links.colleague_url(queue_id, 2))
    answer = await client.get(page)
    assert "もう止められません" in answer.text
    assert "<button" not in answer.text
    assert links.incident_url(queue_id, "r2@example.com") in html.unescape(answer.text)


async def test_what_waits_for_people_has_no_time(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    new = asking(approval(CHIEF), inside=1)
    new = replace(new, raw=held().raw, decision=replace(new.decision, colleagues_may_stop=True))
    queue_id = await spool.accept(new)
    answer = await client.get(page_of(links.colleague_url(queue_id, 2)))
    assert "送信者の確認または承認がそろうと送信されます。" in answer.text


@pytest.mark.parametrize("recipient", [0, 1, 3, -1])
async def test_a_link_for_somebody_who_may_not_is_none(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, recipient: int
) -> None:
    queue_id = await spool.accept(held())
    assert (await client.get(page_of(links.colleague_url(queue_id, recipient)))).status_code == 404


async def test_links_of_other_kinds_open_nothing_here_nor_this_one_theirs(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held())
    others = (
        links.url(queue_id, str(SENDER)),
        links.approval_url(queue_id, CHIEF),
        links.share_url(queue_id, 2),
        links.deletion_url(queue_id, 2),
        links.incident_url(queue_id, "r2@example.com"),
    )
    for url in others:
        assert (await client.get(f"/c/{url.rpartition('/')[2]}")).status_code == 404
    token = links.colleague_url(queue_id, 2).rpartition("/")[2]
    for read in (links.read, links.read_approval, links.read_share, links.read_deletion, links.read_incident):
        with pytest.raises(LinkInvalid):
            read(token)
    assert (await client.get(f"/c/{token.swapcase()}")).status_code == 404
