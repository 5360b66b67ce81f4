"""The pages of what asks for one's approval: who sees what, in what order, and deciding on many with the truth about each."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.acting.approving import MAX_MANY
from gateway.console.app import create_app
from gateway.console.approvals import listing
from gateway.console.gate import COOKIE
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.spool.attendance import Absence
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor, Consented, NewMessage
from tests.console.conftest import ORIGIN, SECRET, HandClock
from tests.console.signing import KnownSessions
from tests.console.test_second_look import states
from tests.spool.asking import CHIEF, DEPUTY, HOUR, MAYOR, approval, asking
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, T0

PATH, MANY = "/approvals", "/approvals/many"
HELD, QUEUED, CANCELLED = State.HELD, State.QUEUED, State.CANCELLED
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def spool(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def client(spool: SqlSpool, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    sessions = KnownSessions()
    sessions.add("chief", Grant(Role.APPROVER), addresses=(CHIEF,))
    sessions.add("mayor", Grant(Role.APPROVER), addresses=(MAYOR,))
    sessions.add("clerk", Grant(Role.SENDER), addresses=("clerk@sports.example.jp",))
    links = Links(SECRET, ORIGIN, timedelta(days=7), clock)
    app = create_app(spool, links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp", sessions=sessions)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, follow_redirects=True, cookies={COOKIE: "chief"}
    ) as client:
        yield client


def waiting(subject: str, *people: str, within: timedelta = 4 * HOUR, at_least: int = 1) -> NewMessage:
    return replace(asking(approval(*(people or (CHIEF,)), within=within, at_least=at_least)), subject=subject)


async def text_of(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.text)


async def post(client: httpx.AsyncClient, *fields: tuple[str, str]) -> httpx.Response:
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get(PATH)).text)
    assert seal is not None
    return await client.post(MANY, content=urlencode([("seal", seal[1]), *fields]), headers=FORM)


async def test_what_asks_me_stands_soonest_first_and_nothing_else_does(
    client: httpx.AsyncClient, spool: SqlSpool
) -> None:
    for subject, people, within in (
        ("later", (CHIEF,), 6 * HOUR),
        ("soon", (CHIEF, DEPUTY), HOUR),
        ("another's", (MAYOR,), HOUR),
    ):
        await spool.accept(waiting(subject, *people, within=within))
    await spool.accept(asking(window=HOUR))
    text = await text_of(client, PATH)
    assert text.index(">soon<") < text.index(">later<")
    assert "another's" not in text
    assert "教室のお知らせ" not in text
    assert text.count("あなたの承認待ち") == 2


async def test_what_others_did_and_who_is_away_stands_there(
    client: httpx.AsyncClient, spool: SqlSpool
) -> None:
    queue_id = await spool.accept(waiting("both", CHIEF, DEPUTY, at_least=2))
    await spool.consents.approve(queue_id, None, DEPUTY, Actor("approver", DEPUTY), "よい", T0)
    away = Absence(CHIEF, T0 - HOUR, T0 + 9 * HOUR)
    await spool.absences.say(away, Actor("approver", CHIEF), T0)
    text = await text_of(client, PATH)
    assert f"{DEPUTY} が 4月1日(水) 18:00 に承認: よい" in text
    assert f"{CHIEF} は 4月2日(木) 03:00 まで不在です。" in text
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0)
    assert "承認を待っているメールはありません。" in await text_of(client, PATH)


async def test_a_word_of_mine_that_is_not_enough_leaves_it_in_the_list_without_a_tick(
    client: httpx.AsyncClient, spool: SqlSpool
) -> None:
    queue_id = await spool.accept(waiting("both", CHIEF, DEPUTY, at_least=2))
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0)
    text = await text_of(client, PATH)
    assert "承認済み(ほかの承認者を待っています)" in text
    assert 'type="checkbox"' not in text


async def test_the_list_goes_on_over_pages(
    client: httpx.AsyncClient, spool: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(5):
        await spool.accept(waiting(f"mail-{number}", within=(number + 1) * HOUR))
    seen: list[str] = []
    path = PATH
    while path:
        text = await text_of(client, path)
        seen += re.findall(r"<span>(mail-\d)</span>", text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found[1] if found else ""
    assert seen == [f"mail-{number}" for number in range(5)]
    assert (await client.get(f"{PATH}?after=x")).status_code == 400


async def test_many_are_shown_counted_and_approved(client: httpx.AsyncClient, spool: SqlSpool) -> None:
    ids = [await spool.accept(waiting(f"mail-{number}")) for number in range(3)]
    query = urlencode([("mail", each) for each in ids[:2]])
    text = await text_of(client, f"{MANY}?{query}")
    for told in ("mail-0", "mail-1", "clerk@sports.example.jp", "次の2件について決めます。"):
        assert told in text
    assert ">mail-2<" not in text
    fields = [("mail", each) for each in ids[:2]]
    answer = await post(client, *fields, ("count", "２"), ("act", "approve"), ("comment", ""))
    assert "2件を承認しました。" in answer.text
    assert [await states(spool, each) for each in ids] == [[QUEUED] * 2, [QUEUED] * 2, [HELD] * 2]


@pytest.mark.parametrize(
    ("count", "act", "comment", "sentence"),
    [
        ("3", "approve", "", "上のメールの件数と合っていません。"),
        ("", "approve", "", "上のメールの件数と合っていません。"),
        ("2", "reject", " ", "差し戻す理由を書いてください。"),
    ],
)
async def test_without_the_number_or_a_reason_nothing_is_decided(
    client: httpx.AsyncClient, spool: SqlSpool, count: str, act: str, comment: str, sentence: str
) -> None:
    ids = [await spool.accept(waiting(f"mail-{number}")) for number in range(2)]
    fields = [("mail", each) for each in ids]
    answer = await post(client, *fields, ("count", count), ("act", act), ("comment", comment))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert [await states(spool, each) for each in ids] == [[HELD] * 2] * 2


async def test_the_truth_about_each(client: httpx.AsyncClient, spool: SqlSpool) -> None:
    mine, late = await spool.accept(waiting("mine")), await spool.accept(waiting("late"))
    theirs = await spool.accept(waiting("theirs", MAYOR))
    await spool.consents.approve(late, None, CHIEF, Actor("approver", CHIEF), "", T0)
    fields = [("mail", each) for each in (mine, late, theirs, "NOSUCHMAIL")]
    answer = await post(client, *fields, ("count", "4"), ("act", "reject"), ("comment", "宛先違い"))
    assert "1件を差し戻しました。" in answer.text
    assert "3件は処理していません。" in answer.text
    assert "theirs" not in answer.text
    assert await states(spool, mine) == [CANCELLED] * 2
    assert await states(spool, theirs) == [HELD] * 2
    assert await states(spool, late) == [QUEUED] * 2


async def test_a_store_that_fails_in_the_middle_hides_no_word_that_counts(
    client: httpx.AsyncClient, spool: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await spool.accept(waiting(f"mail-{number}")) for number in range(3)]
    real = spool.consents.approve

    async def failing(queue_id: str, *rest: Any) -> Consented:
        if queue_id == ids[1]:
            raise StoreUnavailable("the disk is full")
        return await real(queue_id, *rest)

    monkeypatch.setattr(spool.consents, "approve", failing)
    answer = await post(client, *[("mail", each) for each in ids], ("count", "3"), ("act", "approve"))
    assert "1件を承認しました。" in answer.text
    assert answer.text.count("保存先が応答しませんでした。") == 2
    assert [await states(spool, each) for each in ids] == [[QUEUED] * 2, [HELD] * 2, [HELD] * 2]


@pytest.mark.parametrize(
    "fields",
    [
        [("act", "approve"), ("count", "0")],
        [("mail", "A"), ("act", "steal"), ("count", "1")],
        [("mail", "A" * 100), ("act", "approve"), ("count", "1")],
        [*[("mail", f"A{number}") for number in range(MAX_MANY + 1)], ("act", "approve"), ("count", "51")],
        [("mail", "A"), ("act", "reject"), ("count", "1"), ("comment", "x" * 501)],
    ],
)
async def test_what_our_page_cannot_have_sent(
    client: httpx.AsyncClient, fields: list[tuple[str, str]]
) -> None:
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get("/approvals/absence")).text)
    assert seal is not None
    answer = await client.post(MANY, content=urlencode([("seal", seal[1]), *fields]), headers=FORM)
    assert answer.status_code == 400


async def test_nobody_but_an_approver_comes_here(client: httpx.AsyncClient) -> None:
    client.cookies.set(COOKIE, "clerk")
    for path in (PATH, MANY, "/approvals/absence"):
        assert (await client.get(path)).status_code == 403


async def test_a_hostile_subject_is_text(client: httpx.AsyncClient, spool: SqlSpool) -> None:
    queue_id = await spool.accept(waiting('<img src=x onerror="alert(1)">\u202e'))
    for path in (PATH, f"{MANY}?mail={queue_id}"):
        answer = await client.get(path)
        assert "<img" not in answer.text
        assert "\u202e" not in answer.text
        assert "&lt;img" in answer.text
