"""Signing in with a second step: set up on one's own page, asked for the next time, and a recovery code where it is lost."""

from __future__ import annotations

import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.journeys import axe
from tests.journeys.world import PASSWORD, World

pytestmark = pytest.mark.interop


def test_a_second_step_is_set_up_and_asked_for(world: World) -> None:
    with world.page() as page:
        axe.prepare(page.context)
        world.sign_in(page, "deputy")
        page.goto("/me/code")
        secret = page.locator(".small-key").inner_text().replace(" ", "")
        page.locator("[name=code]").fill(pyotp.TOTP(secret).now())
        page.locator("[name=current]").fill(PASSWORD)
        page.locator("form.status button.go").click()
        codes = page.locator(".codes code").all_inner_texts()
        assert len(codes) == 10
        sign_out(page)
        enter(world, page)
        page.locator("[name=code]").fill("000000")
        page.locator("button.go").click()
        expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
        assert axe.violations(page) == []
        # Each step is good once, and the one after it is good already: nobody has to wait here.
        page.locator("[name=code]").fill(pyotp.TOTP(secret).at(int(time.time()) + 30))
        page.locator("button.go").click()
        page.wait_for_url("**/approvals")
        sign_out(page)
        enter(world, page)
        page.locator("[name=code]").fill(codes[3].upper())
        page.locator("button.go").click()
        page.wait_for_url("**/approvals")


def test_a_wrong_password_is_told_and_nothing_else(world: World, language: str) -> None:
    with world.page("phone", language) as page:
        for login in ("office", "nobody-of-this-name"):
            page.goto("/sign-in")
            page.locator("[name=login]").fill(login)
            page.locator("[name=password]").fill("a wrong password")
            page.locator("button.go").tap()
            expect(page.get_by_role("alert")).to_contain_text({"ja": "違います", "en": "is wrong"}[language])
            assert page.locator("[name=password]").input_value() == ""


def test_a_page_that_was_asked_for_comes_after_signing_in(world: World) -> None:
    with world.page() as page:
        page.goto("/figures?span=12m")
        page.wait_for_url("**/sign-in?next=*")
        page.locator("[name=login]").fill("auditor")
        page.locator("[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/figures?span=12m")


def sign_out(page: Page) -> None:
    page.goto("/me")
    page.locator("form.leave button").click()
    expect(page.get_by_role("status")).to_be_visible()


def enter(world: World, page: Page) -> None:
    """Give login and password; the second step is asked for."""
    page.goto("/sign-in")
    page.locator("[name=login]").fill("deputy")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button.go").click()
    page.wait_for_url("**/sign-in/code*")
