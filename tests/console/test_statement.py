"""The statement to print: it claims what the log proves and nothing else, comes by a button, and names no copy of a rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.console.statement_view import EVENTS, PEOPLE, statement
from gateway.languages import Words
from gateway.links import Links
from gateway.spool import testimony
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Kind
from gateway.spool.share_contract import Happened
from gateway.spool.testimony import Proof, Witness
from gateway.spool.values import Actor
from tests.console.browser import read, send, send_raw
from tests.console.conftest import ORIGIN, FileSpool, HandClock
from tests.console.handled import LINKED, TOKYO, arrive, protect, share
from tests.memory_spool import NOON, SENDER

TWO = ("sato@example.com", "suzuki@example.net")
THEM = Actor("recipient", TWO[0])
HASH = "ab" * 32
PROOF = Proof(NOON + timedelta(hours=2), intact=True, sealed=True, events=1234, last=(("", 1234, HASH),))
OPENED = Happened(NOON + timedelta(hours=1), Kind.SHARE_OPENED, (0,), THEM, "198.51.100.7")
FETCHED = replace(OPENED, kind=Kind.SHARE_FETCHED, place=2, name="<i>名簿.csv\u202e")
NOBODY = testimony.Testimony(
    queue_id="Q1",
    accepted_at=NOON,
    sender=SENDER,
    subject="",
    witnesses=(Witness(0, TWO[0]), Witness(1, TWO[1])),
    taken_back_at=None,
    proof=PROOF,
)
SOME = replace(NOBODY, witnesses=(Witness(0, TWO[0], (OPENED,), (FETCHED,), denied=2), Witness(1, TWO[1])))
CLAIM = "下記の宛先は誰もリンクを開かず、ファイルをダウンロードしていません。"
NOTHING_PROVED = "この書面は証明になりません。"


@dataclass
class Prover:
    """Makes whatever statement a test wants."""

    made: testimony.Testimony = NOBODY
    asked: list[str] = field(default_factory=list)
    down: bool = False

    async def __call__(self, queue_id: str) -> testimony.Testimony:
        self.asked.append(queue_id)
        if self.down:
            raise StoreUnavailable("no database")
        return self.made


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
async def client(
    spool: FileSpool, links: Links, clock: HandClock, prover: Prover
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(spool.door(), links, clock, ZoneInfo("Asia/Tokyo"), "mx.example.jp", prove=prover)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
def url(spool: FileSpool, links: Links) -> str:
    protect(spool, LINKED, TWO)
    arrive(spool, 0, 1)
    spool.shares.rows["Q1"] = [share(0, fetched=()), share(1, fetched=())]
    return links.url("Q1", SENDER)


async def test_nobody_opened_it_and_what_that_rests_on(client: httpx.AsyncClient, url: str) -> None:
    page = await send(client, url, "statement")
    assert page.status_code == 200
    text = read(page).text
    assert CLAIM in text
    assert f"最後のイベント: 1234 {HASH}" in text
    assert "2026-11-20 12:00:00+09:00" in text  # a paper says the year and the offset
    assert "連鎖は完全です。 末尾はマスターキーで封印されています。" in text


async def test_who_opened_what_when_and_from_where(
    client: httpx.AsyncClient, url: str, prover: Prover
) -> None:
    prover.made = SOME
    page = await send(client, url, "statement")
    text = read(page).text
    assert CLAIM not in text
    assert "2026-11-20 13:00:00+09:00 ページを開きました 198.51.100.7" in text
    assert "名簿.csv\N{REPLACEMENT CHARACTER} をダウンロードしました" in text
    assert "コードまたは鍵の誤り: 2回。" in text
    assert "suzuki@example.net 開封なし、ダウンロードなし。" in text
    assert "<i>" not in page.text


@pytest.mark.parametrize(
    "made",
    [
        replace(NOBODY, proof=replace(PROOF, intact=False, problem="event 7 was altered")),
        replace(NOBODY, proof=replace(PROOF, sealed=False)),
        replace(NOBODY, accepted_at=None),
    ],
    ids=["broken", "unsealed", "begins later"],
)
async def test_without_proof_nothing_is_claimed(
    client: httpx.AsyncClient, url: str, prover: Prover, made: testimony.Testimony
) -> None:
    prover.made = made
    text = read(await send(client, url, "statement")).text
    assert CLAIM not in text
    assert NOTHING_PROVED in text


async def test_a_copy_that_a_rule_adds_is_not_in_it(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, prover: Prover
) -> None:
    protect(spool, LINKED, (*TWO, "auditor@example.org"), copied=1)
    seen = Witness(2, "auditor@example.org", (OPENED,))
    prover.made = replace(NOBODY, witnesses=(*NOBODY.witnesses, seen))
    page = await send(client, links.url("Q1", SENDER), "statement")
    assert "auditor" not in page.text
    assert CLAIM in read(page).text  # of those who are named


async def test_it_comes_by_a_button_only(client: httpx.AsyncClient, url: str, prover: Prover) -> None:
    for answered in (await client.get(f"{url}/statement"), await client.head(f"{url}/statement")):
        assert answered.status_code == 303
    assert (await send_raw(client, url, "statement", ("seal", "forged"))).status_code == 403
    assert prover.asked == []
    assert "印刷用の記録証明書を作る" in (await client.get(url)).text


async def test_a_store_that_does_not_answer_is_no_proof(
    client: httpx.AsyncClient, url: str, prover: Prover
) -> None:
    prover.down = True
    answered = await send(client, url, "statement")
    assert answered.status_code == 503
    assert CLAIM not in answered.text


def test_it_is_bounded(spool: FileSpool) -> None:
    many = tuple(f"r{number}@example.com" for number in range(PEOPLE + 50))
    message = protect(spool, LINKED, many)
    found = tuple(Witness(number, each, (OPENED,) * (EVENTS + 5)) for number, each in enumerate(many))
    made = statement(message, replace(NOBODY, witnesses=found), Words("en", TOKYO))
    assert (len(made.people), made.more) == (PEOPLE, 50)
    assert (len(made.people[0].lines), made.people[0].more) == (EVENTS, 5)


def test_no_share_is_no_statement(spool: FileSpool) -> None:
    message = protect(spool, LINKED, TWO)
    assert statement(message, replace(NOBODY, witnesses=()), Words("en", TOKYO)).verdict == "nothing"
