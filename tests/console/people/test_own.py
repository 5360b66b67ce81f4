"""One's own page: what opens the door is changed only by who types the password, and shown once."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from starlette.applications import Starlette

from gateway.people.contract import TokenScope
from gateway.spool.values import Actor
from gateway.store.schema import events
from tests.console.conftest import HandClock
from tests.console.people.conftest import Browser, hidden
from tests.people.conftest import GOOD, OTHER, House

ANN = Actor("person", "ann")


@pytest.fixture
async def ann(browser: Browser) -> Browser:
    await browser.sign_in("ann")
    return browser


async def test_the_page_shows_where_one_is_signed_in(ann: Browser) -> None:
    page = await ann.get("/me")
    assert page.status_code == 200
    assert "192.0.2.7" in page.text
    assert "Sign out everywhere" in page.text
    assert GOOD not in page.text


async def test_a_new_password_needs_the_old_one_and_two_entries_alike(ann: Browser, app: Starlette) -> None:
    other = Browser(app)
    await other.sign_in("ann")
    page = await ann.get("/me/password")
    wrong = await ann.post(page, "/me/password", current="wrong", new=OTHER, again=OTHER)
    assert wrong.status_code == 422
    assert "This is not your current password." in wrong.text
    differs = await ann.post(wrong, "/me/password", current=GOOD, new=OTHER, again=GOOD)
    assert "not the same" in differs.text
    short = await ann.post(differs, "/me/password", current=GOOD, new="short", again="short")
    assert "at least 12 characters" in short.text
    assert 'value="short"' not in short.text
    done = await ann.post(short, "/me/password", current=GOOD, new=OTHER, again=OTHER)
    assert "Your password was changed." in (await ann.follow(done)).text
    assert (await other.get("/me")).status_code == 303
    assert (await other.sign_in("ann", OTHER)).status_code == 303
    await other.client.aclose()


async def test_guessing_the_password_of_an_open_browser_ends(ann: Browser, house: House) -> None:
    page = await ann.get("/me/password")
    for _ in range(house.settings.lock_after):
        await ann.post(page, "/me/password", current="guess", new=OTHER, again=OTHER)
    shut = await ann.post(page, "/me/password", current=GOOD, new=OTHER, again=OTHER)
    assert "Too many failed attempts" in shut.text


async def test_a_second_factor_is_set_up_used_and_removed(
    ann: Browser, house: House, clock: HandClock
) -> None:
    page = await ann.get("/me/code")
    assert "<svg" in page.text
    secret = re.search(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert secret is not None
    totp = pyotp.TOTP(secret[0].replace(" ", ""))
    wrong = await ann.post(page, "/me/code", code="000000", current=GOOD)
    assert "This code is not right." in wrong.text
    assert secret[0] in wrong.text
    codes = await ann.post(wrong, "/me/code", code=totp.at(clock.now), current=GOOD)
    shown = re.findall(r"<code>([a-z2-7-]{19})</code>", codes.text)
    assert len(shown) == 10
    assert shown[0] not in (await ann.get("/me")).text
    clock.now += timedelta(minutes=1)
    again = await ann.post(await ann.get("/me"), "/me/recovery-codes", current=GOOD)
    assert shown[0] not in again.text
    assert len(re.findall(r"<code>([a-z2-7-]{19})</code>", again.text)) == 10
    kept = await ann.post(await ann.get("/me"), "/me/code/remove", current="wrong")
    assert kept.status_code == 422
    assert (await house.people.own.of("ann")).totp_at is not None
    await ann.post(await ann.get("/me"), "/me/code/remove", current=GOOD)
    assert (await house.people.own.of("ann")).totp_at is None


async def test_nobody_gets_to_choose_the_secret_of_another(
    ann: Browser, app: Starlette, clock: HandClock
) -> None:
    mallory = Browser(app)
    await mallory.sign_in("ann")
    theirs = dict(hidden((await mallory.get("/me/code")).text, "/me/code"))["secret"]
    page = await ann.get("/me/code")
    assert (await ann.post(page, "/me/code", code="000000", current=GOOD, secret=theirs)).status_code == 400
    await mallory.client.aclose()


async def test_tokens_are_shown_once_and_revoked(ann: Browser, house: House) -> None:
    page = await ann.get("/me")
    asked = {"name": "<b>report</b>", "scope": ["held:read", "no:such"], "days": "30"}
    assert (await ann.post(page, "/me/tokens", **asked, current="wrong")).status_code == 422
    made = await ann.post(page, "/me/tokens", **asked, current=GOOD)
    token = re.search(r"sek_[\w-]{43}", made.text)
    assert token is not None
    bearer = await house.people.tokens.authenticate(token[0], house.now)
    assert bearer is not None
    assert bearer.scopes == {TokenScope.HELD_READ}
    page = await ann.get("/me")
    assert token[0] not in page.text
    assert "&lt;b&gt;report&lt;/b&gt;" in page.text
    done = await ann.post(page, "/me/tokens/revoke")
    assert "The token was revoked." in (await ann.follow(done)).text
    assert await house.people.tokens.authenticate(token[0], house.now) is None


async def test_a_token_does_not_last_for_ever(ann: Browser) -> None:
    page = await ann.get("/me")
    for days in ("0", "367", "-1", "x", "９０", "99999"):
        asked = {"name": "x", "scope": "held:read", "days": days}
        refused = await ann.post(page, "/me/tokens", **asked, current=GOOD)
        assert "1 to 366 days" in refused.text


async def test_signing_out_everywhere_ends_all_sessions(ann: Browser, app: Starlette, house: House) -> None:
    other = Browser(app)
    await other.sign_in("ann")
    await ann.post(await ann.get("/me"), "/me/sign-out-everywhere")
    assert ann.cookie == ""
    assert (await other.get("/me")).status_code == 303
    assert await house.people.sessions("ann") == []
    await other.client.aclose()


async def test_a_language_is_remembered(ann: Browser) -> None:
    await ann.post(await ann.get("/me"), "/me/language", language="en")
    assert "Your account" in (await ann.client.get("/me", headers={"accept-language": "ja"})).text
    await ann.post(await ann.get("/me"), "/me/language", language="ja")
    assert "アカウント" in (await ann.get("/me")).text
    assert (await ann.post(await ann.get("/me"), "/me/language", language="xx")).status_code == 400


async def test_who_has_something_to_do_gets_nowhere_else(app: Starlette, house: House) -> None:
    temporary = await house.people.own.temporary_password("ann", Actor("admin", "root"), house.now)
    browser = Browser(app)
    await browser.sign_in("ann", temporary)
    for path in ("/me", "/held", "/me/tokens"):
        assert (await browser.get(path)).headers.get("location", "/me/password") == "/me/password"
    page = await browser.get("/me/password")
    await browser.post(page, "/me/password", current=temporary, new=OTHER, again=OTHER)
    assert (await browser.get("/me")).status_code == 200
    await browser.client.aclose()


async def test_the_daily_letter_is_switched_off_and_on(ann: Browser, house: House) -> None:
    page = await ann.get("/me")
    saved = await ann.follow(await ann.post(page, "/me/daily-letter"))
    assert "Saved." in saved.text
    assert "switched off for you" in saved.text
    assert not await house.spool.digests.wanted("ann@example.jp")
    await ann.post(saved, "/me/daily-letter")
    assert await house.spool.digests.wanted("ann@example.jp")
    told = [row for row in house.rows(events) if row["kind"] == "digest"]
    assert [(row["actor_kind"], row["actor_name"]) for row in told] == [("person", "ann")] * 2


async def test_nobody_switches_off_the_letter_of_others(ann: Browser, house: House) -> None:
    page = await ann.get("/me")
    for fields in ({"address": "boss@example.jp"}, {"wanted": "maybe"}, {"address": ""}):
        assert (await ann.post(page, "/me/daily-letter", **fields)).status_code in (400, 404)
    assert await house.spool.digests.wanted("boss@example.jp")
    assert await house.spool.digests.wanted("ann@example.jp")
