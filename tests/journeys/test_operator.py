"""The operator of a sports centre sends to thirty people, gets the notice on a phone, and takes the mail back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.world import CITIZENS, OFFICE, World

pytestmark = pytest.mark.interop

STOP = {"ja": re.compile("全員への送信を取り消す|取り消す"), "en": re.compile("^Cancel for all")}
DONE = {"ja": "取り消しました", "en": "Cancelled for 12 recipients"}


def test_the_operator_cancels_on_a_phone(world: World, language: str) -> None:
    subject = f"テニス教室 {language}"
    world.send(CITIZENS[:12], subject)
    link = world.link(world.letter(OFFICE, subject), "m")
    with world.page("phone", language, scripts=False) as page:  # it works without JavaScript
        page.goto(f"{link}?lang={language}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        stop = page.locator("button.stop[value=all]")
        expect(stop).to_be_in_viewport()  # without scrolling: ten minutes, and a nervous thumb
        box = stop.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        stop.tap()
        expect(page.get_by_role("status")).to_contain_text(DONE[language])
        expect(page.locator("button.stop")).to_have_count(0)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert world.delivered(subject) == []


def test_the_operator_cancels_for_one_alone(world: World) -> None:
    subject = "水泳教室"
    world.send(CITIZENS[:3], subject)
    with world.page("phone") as page:
        page.goto(world.link(world.letter(OFFICE, subject), "m"))
        page.get_by_label(CITIZENS[1]).check()
        page.locator(".bar button[value=ticked]").tap()
        expect(page.get_by_role("status")).to_contain_text("取り消しました")
        expect(page.locator("li", has_text=CITIZENS[1])).to_contain_text("取り消し")
        expect(page.locator("li", has_text=CITIZENS[0])).to_contain_text("保留")


def test_by_keys_alone(world: World) -> None:
    """Tab to what is wanted, Space ticks, Enter presses: nothing needs a pointer, and the focus can be seen."""
    subject = "書道教室"
    world.send(CITIZENS[:2], subject)
    with world.page() as page:
        page.goto(world.link(world.letter(OFFICE, subject), "m"))
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('button.stop')"):
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("取り消しました")
    assert world.delivered(subject) == []
