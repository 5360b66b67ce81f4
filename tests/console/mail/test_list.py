"""The list shows what somebody may see, as the address asks, and nothing in it is more than text."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from gateway.console.mail.asked import LONGEST, Asked
from gateway.console.mail.asked import read as asked_of
from gateway.languages import LANGUAGES
from gateway.spool.sql import SqlSpool
from tests.console.browser import read
from tests.console.mail.conftest import (
    ADMIN,
    AUDITOR,
    CHIEF,
    CLERK,
    COLLEAGUE,
    ORDERING,
    STRANGER,
    SignIn,
    letter,
)
from tests.spool.mails import MINUTE, T0

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


async def test_it_shows_what_is_held_and_what_is_waited_for(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter("sato@example.com", "suzuki@example.net"))
    async with sign_in(CLERK) as browser:
        page = await browser.get("/held")
        text = read(page).text
        for expected in (
            "保留中のメール",
            "テニス教室のお知らせ",
            "2件中 2件",
            "時間の経過のみ",
            "4月1日(水) 18:10",
            "あと",
        ):
            assert expected in text
        assert f'href="/held/{queue_id}"' in page.text
        assert f'value="{queue_id}" aria-label="選択: テニス教室のお知らせ"' in page.text
        assert 'data-left="' in page.text


@pytest.mark.parametrize(
    ("login", "sees"),
    [(CLERK, True), (COLLEAGUE, True), (ADMIN, True), (STRANGER, False), (CHIEF, False)],
)
async def test_only_what_somebody_may_see(spool: SqlSpool, sign_in: SignIn, login: str, sees: bool) -> None:
    await spool.accept(letter())
    async with sign_in(login) as browser:
        assert ("テニス教室" in await browser.text("/held")) is sees


@pytest.mark.parametrize("login", [AUDITOR, ORDERING])
async def test_who_has_no_list_is_told_so(sign_in: SignIn, login: str) -> None:
    async with sign_in(login) as browser:
        assert (await browser.get("/held")).status_code == 403


async def test_the_form_keeps_its_state_in_the_address(spool: SqlSpool, sign_in: SignIn) -> None:
    await spool.accept(letter(subject="名簿の送付"))
    await spool.accept(letter(subject="予約の確認", sender=COLLEAGUE))
    async with sign_in(COLLEAGUE) as browser:
        page = await browser.get(f"/held?words={quote('名簿')}&order=oldest&since=2026-04-01&waits=time")
        assert "名簿の送付" in page.text
        assert "予約の確認" not in page.text
        assert 'value="名簿"' in page.text
        assert '<option value="oldest" selected>' in page.text
        assert '<option value="time" selected>' in page.text
        assert 'value="2026-04-01"' in page.text
        assert "予約の確認" in await browser.text("/held?mine=1")
        assert "名簿の送付" not in await browser.text("/held?mine=1")
        assert "条件に合う保留中のメールはありません" in await browser.text("/held?until=2026-03-31")


async def test_pages_lead_on_and_back(spool: SqlSpool, sign_in: SignIn) -> None:
    for number in range(53):
        await spool.accept(letter(subject=f"mail-{number:02}", at=T0 + number * MINUTE / 60))
    async with sign_in(CLERK) as browser:
        first = await browser.get("/held?words=mail")
        sheet = read(first)
        assert "53件" in sheet.text
        assert "mail-52" in sheet.text
        assert "mail-02" not in sheet.text
        (on,) = [attributes["href"] for tag, attributes in sheet.tags if attributes.get("rel") == "next"]
        second = await browser.text(on)
        assert "mail-02" in second
        assert "mail-52" not in second
        assert "mail-52" in await browser.text("/held?after=nonsense")


async def test_an_empty_list_says_what_it_is_for(sign_in: SignIn) -> None:
    async with sign_in(CLERK) as browser:
        text = await browser.text("/held")
        assert "保留中のメールはありません。" in text
        assert "取り消せる間ここに表示されます" in text


async def test_hostile_subjects_and_senders_stay_text(spool: SqlSpool, sign_in: SignIn) -> None:
    await spool.accept(letter(subject=f"{HOSTILE}\u202egpj.exe"))
    async with sign_in(CLERK) as browser:
        page = await browser.get(f"/held?words={quote(HOSTILE)}")
        page2 = await browser.get("/held")
        for each in (page, page2):
            tags = read(each).tags
            assert {a.get("src", "")[:8] for t, a in tags if t == "script"} <= {"/static/"}
            assert not [t for t, _ in tags if t == "img"]
            assert "\u202e" not in each.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_control_has_a_name(spool: SqlSpool, sign_in: SignIn, language: str) -> None:
    await spool.accept(letter())
    async with sign_in(CLERK) as browser:
        page = await browser.get(f"/held?lang={language}")
        sheet = read(page)
        assert [tag for tag, _ in sheet.tags].count("h1") == 1
        labelled = {a["for"] for tag, a in sheet.tags if tag == "label" and "for" in a}
        for tag, attributes in sheet.tags:
            if tag in ("input", "select") and attributes.get("type") != "hidden":
                named = attributes.get("id") in labelled or "aria-label" in attributes
                assert named or attributes.get("type") == "checkbox", attributes
            assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_an_address_is_bounded_and_odd_ones_ask_for_nothing() -> None:
    odd = asked_of(
        {
            "words": "x" * 9_999,
            "waits": "nothing",
            "since": "31.12.2026",
            "until": "9999-12-31",
            "order": "drop",
            "mine": "yes",
            "after": "x" * 9_999,
        }
    )
    assert odd == Asked(words="x" * LONGEST)
    assert odd.query() == f"?words={'x' * LONGEST}"


async def test_fifty_mails_are_a_small_page(spool: SqlSpool, sign_in: SignIn) -> None:
    for number in range(50):
        await spool.accept(letter(subject=f"{number} {'テニス教室のお知らせ' * 3}"))
    async with sign_in(CLERK) as browser:
        assert len((await browser.get("/held")).content) < 50_000
