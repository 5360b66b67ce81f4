"""Freezing, thawing, waiting longer and correcting: behind a link and for people with an account, pages tell the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.links import Links
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from tests.console.browser import answer, read, send
from tests.console.conftest import ORIGIN, HandClock
from tests.console.mail.conftest import (
    ADMIN,
    CLERK,
    STRANGER,
    SignIn,
    letter,
    sessions,
    sign_in,
    spool,
)
from tests.spool.mails import MINUTE, T0

__all__ = ["sessions", "sign_in", "spool"]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def linked(spool: SqlSpool, links: Links, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(spool, links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp")
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def dues(spool: SqlSpool, queue_id: str) -> list[object]:
    return [row.due_at for row in (await spool.get(queue_id)).recipients]


async def test_a_link_freezes_and_thaws(
    spool: SqlSpool, links: Links, linked: httpx.AsyncClient, clock: HandClock
) -> None:
    queue_id = await spool.accept(letter())
    url = links.url(queue_id, CLERK)
    text = await answer(linked, await send(linked, url, "freeze", ("because", "名簿を確かめます")))
    for expected in (
        "2件を凍結しました。",
        "このメールは凍結されています",
        "理由: 名簿を確かめます",
        "解除するまで送信しません",
    ):
        assert expected in text, expected
    clock.now += timedelta(hours=3)
    await spool.release_due(clock(), 10)
    assert [row.state for row in (await spool.get(queue_id)).recipients] == [State.HELD] * 2
    page = await linked.get(url)
    assert "/release" not in page.text
    assert "data-left" not in page.text
    text = await answer(linked, await send(linked, url, "thaw"))
    assert "2件の凍結を解除しました。" in text
    assert await dues(spool, queue_id) == [clock() + timedelta(minutes=9)] * 2


async def test_a_link_lets_it_wait_longer(
    spool: SqlSpool, links: Links, linked: httpx.AsyncClient, clock: HandClock
) -> None:
    queue_id = await spool.accept(letter())
    url = links.url(queue_id, CLERK)
    text = await answer(linked, await send(linked, url, "longer", ("hours", "4")))
    assert "2件の保留を 4月1日(水) 22:01 まで延ばしました。" in text
    assert await dues(spool, queue_id) == [clock() + timedelta(hours=4)] * 2
    assert "延ばせる宛先がありません" in await answer(
        linked, await send(linked, url, "longer", ("hours", "1"))
    )
    for odd in ("0", "-1", "5", "1e9", ""):
        assert (await send(linked, url, "longer", ("hours", odd))).status_code == 400


async def test_a_link_corrects_one_recipient(
    spool: SqlSpool, links: Links, linked: httpx.AsyncClient
) -> None:
    queue_id = await spool.accept(letter("sato@example.com", "suzuki@example.net"))
    url = links.url(queue_id, CLERK)
    wanted = [("recipient", "0"), ("meant", "saito@example.com")]
    assert "この宛先には送信しません。" in await answer(linked, await send(linked, url, "correct", *wanted))
    states = [row.state for row in (await spool.get(queue_id)).recipients]
    assert states == [State.CANCELLED, State.HELD]
    (notice,) = [each for each in await spool.notices.pending(10) if each.kind is NoticeKind.CORRECTED]
    assert notice.to == CLERK
    again = await answer(linked, await send(linked, url, "correct", *wanted))
    assert "この宛先は訂正できませんでした。" in again


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("recipient", "0"), ("meant", "no address")], "メールアドレスの形になっていません。"),
        ([("recipient", "0"), ("meant", "")], "メールアドレスの形になっていません。"),
        ([("recipient", "0"), ("meant", f"{'x' * 500}@example.com")], "メールアドレスの形になっていません。"),
        (
            [("recipient", "0"), ("meant", "a@example.com\r\nBcc: b@example.com")],
            "メールアドレスの形になっていません。",
        ),
        ([("meant", "a@example.com")], "宛先が選ばれていません。"),
        ([("recipient", "7"), ("meant", "a@example.com")], "宛先が選ばれていません。"),
    ],
)
async def test_what_cannot_be_corrected_changes_nothing(
    spool: SqlSpool, links: Links, linked: httpx.AsyncClient, fields: list[tuple[str, str]], said: str
) -> None:
    queue_id = await spool.accept(letter())
    assert said in await answer(linked, await send(linked, links.url(queue_id, CLERK), "correct", *fields))
    assert [row.state for row in (await spool.get(queue_id)).recipients] == [State.HELD] * 2


async def test_what_an_administrator_froze_the_sender_does_not_thaw(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    here = f"/held/{queue_id}"
    async with sign_in(ADMIN) as admin:
        assert "2件を凍結しました。" in await admin.told(await admin.post(here, f"{here}/freeze"))
    async with sign_in(CLERK) as clerk:
        assert "凍結を解除できるのは管理者だけです。" in await clerk.text(here)
        assert "凍結を解除できませんでした。" in await clerk.told(await clerk.post(here, f"{here}/thaw"))
        assert "凍結中" in await clerk.text("/held")
    async with sign_in(ADMIN) as admin:
        assert "2件の凍結を解除しました。" in await admin.told(await admin.post(here, f"{here}/thaw"))


async def test_others_do_none_of_it(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    before = await dues(spool, queue_id)
    fields = [("hours", "4"), ("recipient", "0"), ("meant", "a@example.com")]
    async with sign_in(STRANGER) as other:
        for verb in ("freeze", "thaw", "longer", "correct"):
            assert (await other.post("/held", f"/held/{queue_id}/{verb}", *fields)).status_code == 404
    assert await dues(spool, queue_id) == before


async def test_a_frozen_subject_and_reason_stay_text(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    hostile = '"><script>alert(1)</script>\u202e'
    await spool.halts.freeze(queue_id, Actor("sender", hostile), hostile, T0 + MINUTE)
    async with sign_in(CLERK) as clerk:
        page = await clerk.get(f"/held/{queue_id}")
        assert {a.get("src", "")[:8] for tag, a in read(page).tags if tag == "script"} <= {"/static/"}
        assert "\u202e" not in page.text
