"""Approvals: in two taps from the letter, on a phone; by the proxy where the approver is on holiday; several at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.journeys.world import BOSS, CITIZENS, PROXY, World

pytestmark = pytest.mark.interop

APPROVED = {"ja": "承認しました", "en": "Your approval counts"}


def test_an_approver_approves_in_two_taps(world: World, language: str) -> None:
    subject = f"全員への案内 {language}"
    world.send(CITIZENS[:21], subject)
    with world.page("phone", language, scripts=False) as page:
        page.goto(f"{world.link(world.letter(BOSS, subject), 'a')}?lang={language}")  # the first tap
        page.locator("form[action*='/approve'] button.go").tap()
        expect(page.get_by_role("status")).to_contain_text(APPROVED[language])
        expect(page.locator("form[action*='/approve']")).to_have_count(0)


def test_the_approver_is_on_holiday_and_the_proxy_approves(world: World) -> None:
    now = datetime.now(ZoneInfo("Asia/Tokyo"))
    with world.page() as page:
        world.sign_in(page, "boss")
        page.goto("/approvals/absence")
        page.locator("[name=since]").fill(f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M}")
        page.locator("[name=until]").fill(f"{now + timedelta(days=5):%Y-%m-%dT%H:%M}")
        page.locator("[name=note]").fill("急ぎは田中まで")
        page.locator("button.go").click()
        expect(page.get_by_role("status")).to_be_visible()
        world.send(CITIZENS[:1], "所長確認のお願い")
        letter = world.letter(PROXY, "所長確認")  # at once, and not after two hours
        with world.page("phone") as phone:
            phone.goto(world.link(letter, "a"))
            expect(phone.locator("main")).to_contain_text(PROXY)
            expect(phone.locator("main")).not_to_contain_text("お世話になっております")
            phone.locator("button[formaction*='/text']").tap()
            expect(phone.locator("pre")).to_contain_text("お世話になっております")
            phone.locator("form[action*='/approve'] button.go").tap()
            expect(phone.get_by_role("status")).to_contain_text("承認しました")
        page.goto("/approvals/absence")
        page.locator("form[action$='/remove'] button").first.click()
        expect(page.locator(".empty")).to_be_visible()


def test_several_are_approved_at_once_with_their_number(world: World) -> None:
    for subject in ("まとめて一", "まとめて二"):
        world.send(CITIZENS[:20], subject)
        world.letter(BOSS, subject)
    with world.page("phone") as page:
        world.sign_in(page, "boss")
        for subject in ("まとめて一", "まとめて二"):
            page.get_by_label(subject, exact=False).first.check()
        page.locator(".bar button.go").tap()
        page.locator("[name=count]").fill("3")
        page.locator("button[value=approve]").tap()
        expect(page.locator("[name=count]")).to_have_attribute("aria-invalid", "true")
        page.locator("[name=count]").fill("2")
        page.locator("button[value=approve]").tap()
        expect(page.get_by_role("status")).to_be_visible()
