"""Files behind links, for their sender: who opened and fetched what; buttons lock, unlock, extend, and say what they did."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from gateway.console.share_history import LINES, history
from gateway.languages import Words
from gateway.links import Links
from gateway.spool.lifecycle import Kind
from gateway.spool.share_contract import Happened
from gateway.spool.values import Actor
from tests.console.browser import answer, read, send
from tests.console.conftest import FileSpool, HandClock
from tests.console.handled import LINKED, TOKYO, arrive, protect, share
from tests.memory_spool import NOON, SENDER

THREE = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")
ME = Actor("sender", SENDER)
HOUR = timedelta(hours=1)


@pytest.fixture
def url(spool: FileSpool, links: Links) -> str:
    protect(spool, LINKED, THREE)
    arrive(spool, 0, 1)
    spool.shares.rows["Q1"] = [share(0, opened_at=NOON + HOUR), share(1, fetched=()), share(2, fetched=())]
    return links.url("Q1", SENDER)


async def test_who_opened_and_fetched_what(client: httpx.AsyncClient, url: str) -> None:
    text = read(await client.get(url)).text
    assert "1件の宛先がリンクを開きました。" in text
    assert "sato@example.com 公開中 最初の開封: 11月20日(金) 13:00 · 12月4日(金) 12:00 まで" in text
    assert "名簿.csv: 1回ダウンロード · 残り4回" in text
    assert "計画.pdf: 0回ダウンロード" in text
    assert "suzuki@example.net 公開中 未開封" in text
    assert "tanaka@example.com メールの到着後に公開" in text


async def test_nobody_opened_is_said_only_where_it_is_so(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    assert "まだ誰もリンクを開いていません。" not in read(await client.get(url)).text
    spool.shares.rows["Q1"] = [share(0, fetched=()), share(1, fetched=())]
    assert "まだ誰もリンクを開いていません。" in read(await client.get(url)).text


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("lock", "2件をロックしました。"),
        ("unlock", "2件のロックを解除しました。"),
        ("extend", "2件の公開期限を延長しました。"),
    ],
)
async def test_the_buttons_act_on_the_ticked(
    client: httpx.AsyncClient, spool: FileSpool, url: str, clock: HandClock, verb: str, told: str
) -> None:
    fields = [("which", "ticked"), ("recipient", "0"), ("recipient", "2"), ("days", "7")]
    text = await answer(client, await send(client, url, verb, *fields))
    assert told in text
    assert spool.shares.acts == [(verb, "Q1", (0, 2), ME)]
    assert spool.shares.until == (clock.now + timedelta(days=7) if verb == "extend" else None)


async def test_all_are_those_that_the_sender_knows_of(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, LINKED, (*THREE, "auditor@example.org"), copied=1)
    spool.shares.rows["Q1"] = [share(0), share(3, opened_at=NOON)]
    url = links.url("Q1", SENDER)
    page = await client.get(url)
    assert "auditor" not in page.text
    assert "まだ誰もリンクを開いていません。" in read(page).text
    await send(client, url, "lock", ("which", "all"))
    await send(client, url, "lock", ("which", "ticked"), ("recipient", "3"))
    assert spool.shares.acts == [("lock", "Q1", (0,), ME)]


async def test_a_locked_share_offers_to_be_unlocked(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    assert "/unlock" not in (await client.get(url)).text
    await send(client, url, "lock", ("which", "all"))
    page = await client.get(url)
    assert "ロック中" in read(page).text
    assert "/unlock" in page.text


async def test_what_is_over_has_no_buttons(
    client: httpx.AsyncClient, spool: FileSpool, url: str, clock: HandClock
) -> None:
    spool.shares.rows["Q1"] = [share(0, ended_at=NOON), share(1, expires_at=NOON)]
    page = await client.get(url)
    assert read(page).text.count("公開終了") == 2
    assert "/extend" not in page.text


@pytest.mark.parametrize("days", [[], ["0"], ["365"], ["7", "30"], ["x"]])
async def test_only_the_spans_that_our_page_offers(
    client: httpx.AsyncClient, spool: FileSpool, url: str, days: list[str]
) -> None:
    done = await send(client, url, "extend", ("which", "all"), *[("days", each) for each in days])
    assert done.status_code == 400
    assert spool.shares.acts == []


async def test_nothing_ticked_is_not_everything(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    assert "宛先が選ばれていません。" in await answer(
        client, await send(client, url, "lock", ("which", "ticked"))
    )
    assert (await send(client, url, "lock")).status_code == 400
    assert spool.shares.acts == []


async def test_names_of_shared_files_lay_out_nothing(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    spool.shares.rows["Q1"] = [share(0, files=((2, "<img src=x>\u202e"), (3, "")))]
    page = await client.get(url)
    assert "<img" not in page.text
    assert "\u202e" not in page.text


async def test_who_did_what_and_when(client: httpx.AsyncClient, spool: FileSpool, url: str) -> None:
    them = Actor("recipient", "sato@example.com")
    spool.shares.log = [
        Happened(NOON + HOUR, kind, (0,), them, "198.51.100.7", 2, "<i>名簿.csv")
        for kind in (Kind.SHARE_OPENED, Kind.SHARE_FETCHED)
    ]
    spool.shares.log += [Happened(NOON, Kind.SHARE_LOCKED, (9,), ME)]
    page = await client.get(url)
    text = read(page).text
    assert "sato@example.com コードを入力してページを開きました 11月20日(金) 13:00 · 198.51.100.7" in text
    assert "<i>名簿.csv をダウンロードしました" in text
    assert "<i>" not in page.text
    assert "ロックしました" not in text


def test_only_the_last_lines_are_listed(spool: FileSpool) -> None:
    message = protect(spool, LINKED, THREE)
    log = [Happened(NOON + n * HOUR, Kind.SHARE_CODE, (0,), ME) for n in range(LINES + 20)]
    told = history(message, log, Words("en", TOKYO))
    assert (len(told.lines), told.before) == (LINES, 20)
    assert told.lines[-1].at == Words("en", TOKYO).moment(log[-1].at)
