"""A verb for many mails says first what would happen, is done for the number that was typed, and tells what did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool
from gateway.spool.values import SYSTEM, Change
from tests.console.browser import read
from tests.console.mail.conftest import ADMIN, CHIEF, CLERK, STRANGER, Browser, SignIn, letter
from tests.spool.asking import approval
from tests.spool.mails import T0, WINDOW

CANCEL, RELEASE = ("verb", "cancel"), ("verb", "release")


def mails(*queue_ids: str) -> list[tuple[str, str]]:
    return [("mail", queue_id) for queue_id in queue_ids]


async def states(spool: SqlSpool, *queue_ids: str) -> list[State]:
    return [(await spool.get(queue_id)).recipients[0].state for queue_id in queue_ids]


async def asked(browser: Browser, *fields: tuple[str, str]) -> str:
    page = await browser.post("/held", "/held/many", *fields)
    assert page.status_code == 200, page.text
    return read(page).text


async def test_nothing_is_done_before_the_number_is_typed(spool: SqlSpool, sign_in: SignIn) -> None:
    both = [await spool.accept(letter(subject=f"mail {number}")) for number in range(2)]
    async with sign_in(CLERK) as browser:
        text = await asked(browser, CANCEL, *mails(*both))
        assert "まだ何も実行していません。" in text
        assert "メール 2通(宛先 4件)を取り消しますか。" in text
        for wrong in ("", "1", "3", "two", "-2", "9" * 30):
            page = await browser.post("/held", "/held/many/do", CANCEL, *mails(*both), ("count", wrong))
            assert page.status_code == 422
            assert "メールの数と一致しません" in page.text
        assert await states(spool, *both) == [State.HELD, State.HELD]
        page = await browser.post("/held", "/held/many/do", CANCEL, *mails(*both), ("count", "２"))
        assert "宛先 4件を取り消しました。すべて取り消せたのはメール 2通です。" in read(page).text
    assert await states(spool, *both) == [State.CANCELLED, State.CANCELLED]


async def test_what_cannot_be_done_is_named(spool: SqlSpool, sign_in: SignIn) -> None:
    waits = Outcome(True, Demands(approvals=frozenset({approval(CHIEF)})), rules=("bulk",))
    mine, asks = await spool.accept(letter()), await spool.accept(letter(subject="承認待ち", outcome=waits))
    gone, theirs = (
        await spool.accept(letter(subject="送信済み")),
        await spool.accept(letter(sender=STRANGER, groups=())),
    )
    await spool.cancel(gone, None, SYSTEM, Reason.BY_SENDER, T0)
    async with sign_in(CLERK) as browser:
        text = await asked(browser, RELEASE, *mails(mine, asks, gone, theirs, "NOSUCHMAIL"))
        assert "実行できるメール 1通" in text
        assert "実行できないメール 4通" in text
        assert "承認や確認を待っています。これを省略することはできません。" in text
        assert "保留中の宛先はもうありません。" in text
        assert text.count("すでにありません。") == 2
        assert STRANGER not in text
        chosen = mails(mine, asks, gone, theirs)
        page = await browser.post("/held", "/held/many/do", RELEASE, *chosen, ("count", "1"))
        assert "宛先 2件の送信を始めました。" in read(page).text
    assert await states(spool, mine, asks, theirs) == [State.QUEUED, State.HELD, State.HELD]


async def test_what_left_in_between_is_told(spool: SqlSpool, sign_in: SignIn) -> None:
    both = [await spool.accept(letter()) for _ in range(2)]
    async with sign_in(CLERK) as browser:
        assert "実行できるメール 2通" in await asked(browser, CANCEL, *mails(*both))
        await spool.release(both[0], None, SYSTEM, Reason.BY_ADMIN, T0 + WINDOW)
        await spool.claim(T0 + WINDOW, 10, timedelta(minutes=5))
        page = await browser.post("/held", "/held/many/do", CANCEL, *mails(*both), ("count", "2"))
        assert "メールの数と一致しません" in page.text
        assert "実行できないメール 1通" in read(page).text
    assert (await states(spool, both[1])) == [State.HELD]


async def test_a_store_that_fails_in_the_middle_hides_nothing_that_was_done(
    spool: SqlSpool, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = [await spool.accept(letter(subject=f"mail-{number}")) for number in range(3)]
    real = spool.cancel

    async def failing(queue_id: str, *rest: Any) -> Change:
        if queue_id == three[1]:
            raise StoreUnavailable("the disk is full")
        return await real(queue_id, *rest)

    async with sign_in(CLERK) as browser:
        monkeypatch.setattr(spool, "cancel", failing)
        page = await browser.post("/held", "/held/many/do", CANCEL, *mails(*three), ("count", "3"))
    text = read(page).text
    assert "宛先 2件を取り消しました。すべて取り消せたのはメール 1通です。" in text
    assert text.count("保存先が応答しませんでした。") == 2
    assert await states(spool, *three) == [State.CANCELLED, State.HELD, State.HELD]


async def test_an_administrator_cancels_many_and_sends_none(spool: SqlSpool, sign_in: SignIn) -> None:
    both = [await spool.accept(letter()) for _ in range(2)]
    async with sign_in(ADMIN) as browser:
        assert 'value="release"' not in (await browser.get("/held")).text
        assert "お使いのアカウントではこの操作ができません。" in await asked(browser, RELEASE, *mails(*both))
        await browser.post("/held", "/held/many/do", CANCEL, *mails(*both), ("count", "2"))
    assert await states(spool, *both) == [State.CANCELLED, State.CANCELLED]


async def test_no_mail_chosen_is_said(sign_in: SignIn) -> None:
    async with sign_in(CLERK) as browser:
        answer = await browser.post("/held", "/held/many", CANCEL)
        assert "メールが選ばれていません。" in await browser.told(answer)


@pytest.mark.parametrize(
    "fields",
    [
        [("verb", "purge"), ("mail", "A")],
        [("mail", "A")],
        [CANCEL, CANCEL, ("mail", "A")],
        [CANCEL, ("mail", "../../x")],
        [CANCEL, *[("mail", f"A{number}") for number in range(201)]],
    ],
)
async def test_what_our_page_cannot_have_sent_is_refused(
    sign_in: SignIn, fields: list[tuple[str, str]]
) -> None:
    async with sign_in(CLERK) as browser:
        for path in ("/held/many", "/held/many/do"):
            assert (await browser.post("/held", path, *fields)).status_code == 400


async def test_many_are_frozen_and_thawed(spool: SqlSpool, sign_in: SignIn) -> None:
    both = [await spool.accept(letter()) for _ in range(2)]
    freeze, thaw, two = ("verb", "freeze"), ("verb", "thaw"), ("count", "2")
    async with sign_in(CLERK) as browser:
        assert "凍結されていません。" in await asked(browser, thaw, *mails(*both))
        page = await browser.post("/held", "/held/many/do", freeze, *mails(*both), two)
        assert "宛先 4件を凍結しました。" in read(page).text
        assert "凍結されています。" in await asked(browser, RELEASE, *mails(*both))
        page = await browser.post("/held", "/held/many/do", thaw, *mails(*both), two)
        assert "宛先 4件の凍結を解除しました。" in read(page).text
    assert [(await spool.get(each)).frozen for each in both] == [None, None]


async def test_all_that_fit_are_done_on_however_many_pages(spool: SqlSpool, sign_in: SignIn) -> None:
    fit = [await spool.accept(letter(subject=f"教室 {number}")) for number in range(52)]
    other = await spool.accept(letter(subject="名簿"))
    theirs = await spool.accept(letter(subject="教室", sender=STRANGER, groups=()))
    async with sign_in(CLERK) as browser:
        listed = read(await browser.get("/held?words=教室"))
        assert "条件に合う 52通すべて" in listed.text
        everything = [CANCEL, ("all", "1"), ("asked", listed.fields["asked"])]
        preview = await browser.post("/held", "/held/many", *everything)
        assert "メール 52通(宛先 104件)を取り消しますか。" in read(preview).text
        until = ("until", read(preview).fields["until"])
        late = await spool.accept(letter(subject="教室 あと", at=T0 + timedelta(minutes=2)))
        wrong = await browser.post("/held", "/held/many/do", *everything, until, ("count", "53"))
        assert wrong.status_code == 422
        assert await states(spool, fit[0], fit[-1]) == [State.HELD, State.HELD]
        done = await browser.post("/held", "/held/many/do", *everything, until, ("count", "52"))
        assert "宛先 104件を取り消しました。すべて取り消せたのはメール 52通です。" in read(done).text
    assert set(await states(spool, *fit)) == {State.CANCELLED}
    assert await states(spool, other, theirs, late) == [State.HELD] * 3


async def test_one_s_own_among_others_are_not_done_as_a_whole(spool: SqlSpool, sign_in: SignIn) -> None:
    async with sign_in(CLERK) as browser:
        odd = [("all", "1"), ("asked", "?mine=1")]
        assert (await browser.post("/held", "/held/many", CANCEL, *odd)).status_code == 400
        for name, value in (("asked", "x" * 5_000), ("after", "x" * 3_000)):
            answer = await browser.post("/held", "/held/many/do", CANCEL, ("all", "1"), (name, value))
            assert answer.status_code == 400
