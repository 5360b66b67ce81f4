"""A mail to many waits for an approval; the approver is on holiday, and the proxy approves on a phone in two taps."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.world import BOSS, CITIZENS, World

pytestmark = pytest.mark.interop


def test_an_approver_approves_in_two_taps(world: World, language: str) -> None:
    subject = f"全員への案内 {language}"
    world.send(CITIZENS[:21], subject)
    with world.page("phone", language, scripts=False) as page:
        page.goto(f"{world.link(world.letter(BOSS, subject), 'a')}?lang={language}")
        page.locator("form[action*='/approve'] button:not(.stop)").first.tap()
        expect(page.get_by_role("status")).to_be_visible()
        expect(page.locator("form[action*='/approve']")).to_have_count(0)
