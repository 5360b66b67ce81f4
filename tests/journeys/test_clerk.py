"""A clerk sends a list of names: nothing leaves before each recipient and each file was ticked."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.world import CITIZENS, OFFICE, World

pytestmark = pytest.mark.interop


def test_the_clerk_confirms_by_ticking(world: World, language: str) -> None:
    subject = f"参加者の名簿 {language}"
    world.send(CITIZENS[3:5], subject, files=["名簿.pdf"])
    with world.page("phone", language) as page:
        page.goto(f"{world.link(world.letter(OFFICE, subject), 'm')}?lang={language}")
        asked = page.locator("form[action*='/confirm']")
        expect(asked).to_be_visible()
        boxes = asked.get_by_role("checkbox")
        expect(boxes).to_have_count(3)
        boxes.nth(0).check()
        asked.get_by_role("button").tap()
        expect(page.locator(".answer")).to_be_visible()
        still = page.locator("form[action*='/confirm']").get_by_role("checkbox")
        expect(still.nth(0)).to_be_checked()
        still.nth(1).check()
        still.nth(2).check()
        page.locator("form[action*='/confirm']").get_by_role("button").tap()
        expect(page.get_by_role("status")).to_be_visible()
        expect(page.locator("form[action*='/confirm']")).to_have_count(0)
    assert world.delivered(subject) == [], "the window goes on"
