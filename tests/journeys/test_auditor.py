"""The auditor finds a mail in the log, takes a copy with proof, and verifies it on a machine that knows no gateway."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.journeys.world import CITIZENS, OFFICE, World
from tests.process import sekisho

pytestmark = pytest.mark.interop


def test_the_auditor_finds_exports_and_verifies(world: World, tmp_path: Path) -> None:
    subject = "監査で探すメール"
    world.send(CITIZENS[:2], subject)
    world.letter(OFFICE, subject)
    world.gateway.cli("log", "checkpoint", "--config", str(world.gateway.config))
    with world.page() as page:
        world.sign_in(page, "auditor")
        expect(page.locator("h1")).to_have_text("記録")
        page.locator("[name=subject]").fill("監査で探す")
        page.keyboard.press("Enter")
        rows = page.locator("table.cards tbody tr")
        expect(rows).to_have_count(1)
        rows.get_by_role("link").click()
        expect(page.locator("main")).to_contain_text(subject)
        expect(page.locator("table tbody tr").first).to_contain_text("受け付け")
        page.goto("/log/verify")
        page.locator("main form button").click()
        expect(page.locator(".answer")).not_to_have_class("answer warning")
        key = page.locator("code.hash").first.inner_text()
        page.goto("/log/export")
        today = datetime.now(ZoneInfo("Asia/Tokyo")).date().isoformat()
        page.locator("[name=since]").fill(today)
        page.locator("[name=until]").fill(today)
        page.locator("[value=proof]").check()
        with page.expect_download() as waited:
            page.locator("main form button.go").click()
        copy = tmp_path / "copy.zip"
        waited.value.save_as(copy)
    told = sekisho("log", "verify-export", str(copy), "--key", key)
    assert told.returncode == 0, told.stdout + told.stderr
    broken = tmp_path / "broken.zip"
    broken.write_bytes(copy.read_bytes()[:-40] + b"\0" * 40)
    assert sekisho("log", "verify-export", str(broken), "--key", key).returncode != 0


def test_a_body_is_opened_for_a_reason_alone(world: World) -> None:
    subject = "理由がいる本文"
    world.send(CITIZENS[:1], subject)
    world.letter(OFFICE, subject)
    with world.page() as page:
        world.sign_in(page, "auditor")
        page.goto("/log?subject=理由がいる本文")
        page.locator("table.cards tbody tr").get_by_role("link").click()
        page.locator("a[href$='/text']").click()
        expect(page.locator("main")).not_to_contain_text("お世話になっております")
        page.locator("main textarea, main input[type=text]").first.fill("苦情番号12の確認")
        page.locator("main form button").first.click()
        expect(page.locator("main")).to_contain_text("お世話になっております")
        page.goto("/log?subject=理由がいる本文")
        page.locator("table.cards tbody tr").get_by_role("link").click()
        expect(page.locator("main")).to_contain_text("苦情番号12の確認")
