"""It went to the wrong people: one button, who has to know knows, a recipient answers, the draft is filled."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.world import CITIZENS, OFFICE, PRIVACY, World
from tests.process import wait_for

pytestmark = pytest.mark.interop


def test_from_the_button_to_the_report(world: World, tmp_path: Path) -> None:
    subject = "会員一覧の送付"
    world.send(CITIZENS[:3], subject)
    send_now(world, subject)
    with world.page() as page:
        world.sign_in(page, "office")
        page.goto("/incidents")
        queue_id = queue_id_of(world, subject)
        page.goto(f"/held/{queue_id}")
        page.locator("a[href*='/incidents/new']").click()
        page.get_by_label(CITIZENS[0]).check()
        page.locator("[name=what]").first.check()
        page.locator("[name=data]").first.check()
        page.locator("[name=persons]").fill("120")
        page.locator("[name=description]").fill("一覧を別の教室の方へ送りました。")
        before = [letter for letter in world.letters_to(PRIVACY) if subject in letter]
        assert before == [], "nothing is sent before somebody presses the button"
        page.locator("button.stop").click()
        expect(page.locator("h1")).to_contain_text("誤送信")
        letter = world.letter(PRIVACY, subject)
        page.locator(f"input[name=recipient][aria-label*='{CITIZENS[0]}']").check()
        page.locator("form[action$='/ask'] button.go").click()
        expect(page.get_by_role("status")).to_be_visible()
        answer(world, world.link(world.letter(CITIZENS[0], subject), "r"))
        page.reload()
        expect(page.locator("tr", has_text=CITIZENS[0]).first).to_contain_text("削除")
        with page.expect_download() as waited:
            page.locator("a[href$='draft.docx']").click()
        draft = tmp_path / "draft.docx"
        waited.value.save_as(draft)
    assert "120" in zipfile.ZipFile(draft).read("word/document.xml").decode()
    with world.page("phone") as page:
        page.goto(world.link(letter, "i"))
        expect(page.locator("main")).to_contain_text("120")


def send_now(world: World, subject: str) -> None:
    """Let a held mail go by the sender's link; wait until everybody has it."""
    with world.page("phone") as page:
        page.goto(world.link(world.letter(OFFICE, subject), "m"))
        page.locator("details.now summary").tap()
        page.locator("details.now button[value=all]").tap()
        expect(page.get_by_role("status")).to_be_visible()
    wait_for(lambda: len(world.delivered(subject)) == 3, "the mail at its recipients")


def queue_id_of(world: World, subject: str) -> str:
    letter = world.letter(OFFICE, subject)
    return world.links.read(world.link(letter, "m").rpartition("/")[2]).queue_id


def answer(world: World, link: str) -> None:
    """The wrong recipient, on a phone: looking says nothing, one press does."""
    with world.page("phone") as page:
        page.goto(link)
        page.locator("button[value=deleted]").tap()
        said(page)


def said(page: Page) -> None:
    expect(page.get_by_role("status")).to_contain_text("ありがとうございます")
