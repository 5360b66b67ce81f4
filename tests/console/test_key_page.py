"""The page with the keys: shown to a press of a button and to nobody else, with what to say and until when; kept nowhere."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway.console.key_sheet import CARDS, Card, sheet
from gateway.languages import Words
from gateway.links import Links
from gateway.policy.protection import Way
from gateway.spool.key_contract import ShownKey
from gateway.spool.values import Actor
from tests.console.browser import read, send, send_raw
from tests.console.conftest import FileSpool, HandClock
from tests.console.fake_keys import KEY
from tests.console.handled import LINKED, SEALED, TOKYO, arrive, protect, share
from tests.memory_spool import NOON, SENDER

THREE = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")


@pytest.fixture
def url(spool: FileSpool, links: Links) -> str:
    protect(spool, SEALED, THREE)
    arrive(spool, 0, 1, 2)
    spool.keys.tell("Q1", 0, 1, 2)
    return links.url("Q1", SENDER)


async def test_the_key_comes_by_a_button(client: httpx.AsyncClient, spool: FileSpool, url: str) -> None:
    page = await client.get(url)
    assert "鍵を相手の方に伝えてください" in read(page).text
    assert KEY not in page.text
    assert spool.keys.shows == []
    shown = await send(client, url, "key")
    assert shown.status_code == 200
    assert spool.keys.shows == [("Q1", Actor("sender", SENDER))]
    text = read(shown).text
    for told in (
        KEY,
        "宛先: sato@example.com, suzuki@example.net, tanaka@example.com",
        "名簿.csv, 計画.pdf",
        "「○○様でしょうか。",
        "「メール『テニス教室のお知らせ』でお送りしたファイルを開く鍵をお伝えします。",
        "以前から知っている番号",
        "メールに書かれた番号にはかけないでください。",
        "taiko: たいこ（たばこのタ、いろはのイ、子供のコ）",
        "ここで見られるのは 12月4日(金) 12:00 までです",
    ):
        assert told in text


async def test_in_english(client: httpx.AsyncClient, url: str) -> None:
    text = read(await send(client, f"{url}?lang=en", "key")).text
    assert "Tell this key by telephone" in text
    assert "Am I speaking to" in text
    assert text.index("taiko: Tango, Alfa") < text.index("たばこのタ")  # the reader's language first


async def test_it_is_kept_by_nobody(
    client: httpx.AsyncClient, url: str, events: list[MutableMapping[str, Any]]
) -> None:
    shown = await send(client, url, "key")
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert KEY not in str(shown.headers)
    assert KEY not in str(events)
    assert "<script" not in shown.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_leads_to_the_button(client: httpx.AsyncClient, url: str, method: str) -> None:
    answered = await client.request(method, f"{url}/key?lang=en")
    assert answered.status_code == 303
    assert answered.headers["location"].endswith("?lang=en#keys")
    assert 'id="keys"' in (await client.get(answered.headers["location"])).text


@pytest.mark.parametrize(
    ("why", "status", "told"),
    [
        ("expired", 410, "保存期限が過ぎたため、鍵は削除しました。"),
        ("not-theirs", 403, "あなたを通さず別の方法で"),
        ("none", 404, "あなたが伝える鍵がありません。"),
        ("a new word", 404, "あなたが伝える鍵がありません。"),
    ],
)
async def test_no_key_says_why(
    client: httpx.AsyncClient, spool: FileSpool, url: str, why: str, status: int, told: str
) -> None:
    del spool.keys.keys["Q1"]
    spool.keys.why_none = why
    shown = await send(client, url, "key")
    assert shown.status_code == status
    assert told in read(shown).text


async def test_a_key_of_somebody_nobody_knows_of_is_not_shown(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    """A copy that a rule adds may have a key of its own."""
    protect(spool, SEALED, (*THREE, "auditor@example.org"), copied=1)
    spool.keys.tell("Q1", 3, text="moon-moon")
    shown = await send(client, links.url("Q1", SENDER), "key")
    assert shown.status_code == 404
    spool.keys.tell("Q1", 0, 3)
    shown = await send(client, links.url("Q1", SENDER), "key")
    assert "moon-moon" not in shown.text
    assert "auditor" not in shown.text
    assert KEY in shown.text


async def test_a_key_that_we_did_not_make_is_shown_as_it_is(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    spool.keys.keys["Q1"] = [ShownKey((0,), Way.SENDER, NOON, 'A"<b>鍵')]
    shown = await send(client, url, "key")
    assert "A&#34;&lt;b&gt;鍵" in shown.text
    assert "での伝え方" not in shown.text


async def test_a_thousand_keys_come_sheet_by_sheet(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    many = tuple(f"r{number}@example.com" for number in range(1000))
    protect(spool, replace(SEALED, own_key=True), many)
    for number in range(1000):
        spool.keys.tell(
            "Q1", number, text=f"aka-{'abcdefghjk'[number % 10]}{'abcdefghjk'[number // 10 % 10]}"
        )
    url = links.url("Q1", SENDER)
    page = await send(client, url, "key")
    assert page.text.count('class="key"') == CARDS
    following = read(page).fields
    assert following["first"] == str(CARDS)
    page = await send_raw(client, url, "key", *following.items())
    assert f"r{CARDS}@example.com" in page.text
    assert "r0@example.com" not in page.text
    beyond = await send(client, url, "key", ("first", "5000"))
    assert "r0@example.com" in beyond.text
    assert (await send(client, url, "key", ("first", "-1"))).status_code == 400


def test_a_key_is_in_no_repr(spool: FileSpool) -> None:
    message = protect(spool, SEALED, THREE)
    spool.keys.tell("Q1", 0)
    told = sheet(message, spool.keys.keys["Q1"], 0, Words("ja", TOKYO))
    assert isinstance(told.cards[0], Card)
    assert told.cards[0].text == KEY
    assert "hoshi" not in repr(told)
    assert "たばこ" not in repr(told)


async def test_a_link_lives_as_long_as_the_key_it_shows(
    client: httpx.AsyncClient, url: str, clock: HandClock
) -> None:
    clock.now = NOON + timedelta(days=13)  # the link itself ended after 7
    assert (await client.get(url)).status_code == 200
    assert KEY in (await send(client, url, "key")).text
    clock.now = NOON + timedelta(days=14, minutes=1)
    for verb in ("", "/key", "/take-back"):
        assert (await client.get(url + verb)).status_code == 410


async def test_a_link_lives_as_long_as_a_share_is_open(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, clock: HandClock
) -> None:
    protect(spool, replace(LINKED, needs_key=False))
    spool.shares.rows["Q1"] = [share(expires_at=NOON + timedelta(days=40))]
    url = links.url("Q1", SENDER)
    clock.now = NOON + timedelta(days=39)
    assert (await client.get(url)).status_code == 200
    spool.shares.rows["Q1"] = [
        share(expires_at=NOON + timedelta(days=40), ended_at=NOON + timedelta(days=20))
    ]
    assert (await client.get(url)).status_code == 410


async def test_a_link_to_an_ordinary_mail_ends_as_ever(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, clock: HandClock
) -> None:
    protect(spool, replace(SEALED, forms=(), needs_key=False, way=None))
    url = links.url("Q1", SENDER)
    gone = links.url("Q9", SENDER)
    clock.now = NOON + timedelta(days=8)
    assert (await client.get(url)).status_code == 410
    assert (await client.get(gone)).status_code == 410
