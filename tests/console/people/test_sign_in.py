"""The pages in front of all others: who gets in, and where to."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pyotp
from starlette.applications import Starlette

from gateway.console.people.doors import local_path
from gateway.metrics import REGISTRY
from gateway.people import one_time
from gateway.people.contract import Grant, Role
from gateway.spool.values import Actor
from tests.console.conftest import HandClock
from tests.console.people.conftest import SESSION, Browser, hidden
from tests.people.conftest import GOOD, House

ANN = Actor("person", "ann")


async def test_who_signs_in_gets_to_the_page_they_wanted(browser: Browser) -> None:
    asked = await browser.get("/people?words=a&after=b")
    assert asked.headers["location"] == "/sign-in?next=%2Fpeople%3Fwords%3Da%26after%3Db"
    page = await browser.follow(asked)
    entered = await browser.post(page, "/sign-in", login="Ann", password=GOOD)
    assert entered.headers["location"] == "/people?words=a&after=b"
    cookie = next(each for each in entered.headers.get_list("set-cookie") if each.startswith(f"{SESSION}="))
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie
    again = await browser.get("/sign-in")
    assert again.headers["location"] == "/held"


async def test_a_session_id_that_was_planted_is_worth_nothing(browser: Browser, house: House) -> None:
    browser.client.cookies.set(SESSION, "planted", domain="sekisho.example.jp", path="/")
    page = await browser.get("/sign-in")
    assert SESSION not in {each.partition("=")[0] for each in page.headers.get_list("set-cookie")}
    await browser.sign_in("ann")
    assert browser.cookie not in ("planted", "")
    assert await house.people.session("planted", house.now) is None


async def test_signing_in_again_ends_the_session_before(browser: Browser, house: House) -> None:
    await house.add("bob")
    page = await browser.get("/sign-in")
    await browser.post(page, "/sign-in", login="ann", password=GOOD)
    first = browser.cookie
    browser.client.cookies.set("__Host-sekisho-form", _form(page), domain="sekisho.example.jp", path="/")
    await browser.post(page, "/sign-in", login="bob", password=GOOD)
    assert browser.cookie != first
    assert await house.people.session(first, house.now) is None


def _form(page: httpx.Response) -> str:
    return next(
        each.split("=")[1].split(";")[0] for each in page.headers.get_list("set-cookie") if "-form=" in each
    )


async def test_each_sign_in_has_a_session_of_its_own(app: Starlette) -> None:
    one, other = Browser(app), Browser(app)
    await one.sign_in("ann")
    await other.sign_in("ann")
    assert one.cookie != other.cookie
    for each in (one, other):
        await each.client.aclose()


async def test_nobody_signs_a_strangers_browser_in(app: Starlette, browser: Browser) -> None:
    attacker = Browser(app)
    theirs = dict(hidden((await attacker.get("/sign-in")).text, "/sign-in"))
    await browser.get("/sign-in")
    fields = {**theirs, "login": "ann", "password": GOOD}
    answer = await browser.client.post("/sign-in", data=fields)
    assert answer.status_code == 403
    assert browser.cookie == ""
    crossed = await browser.client.post("/sign-in", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403
    await attacker.client.aclose()


ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/%0d%0aSet-Cookie:x=1\r\nx",
    "/" + "x" * 2000,
    "/日本",
)


async def test_nobody_is_led_elsewhere(app: Starlette) -> None:
    for elsewhere in ELSEWHERE:
        assert local_path(elsewhere) == ""
        browser = Browser(app)
        page = await browser.client.get("/sign-in", params={"next": elsewhere})
        entered = await browser.post(page, "/sign-in", login="ann", password=GOOD, next=elsewhere)
        assert entered.headers["location"] == "/"
        led = await browser.client.get("/sign-in", params={"next": elsewhere})
        assert led.headers["location"] == "/held"
        await browser.client.aclose()


async def test_wrong_unknown_and_suspended_read_the_same(app: Starlette, house: House) -> None:
    await house.add("sue")
    await house.people.suspend("sue", Actor("admin", "root"), house.now)
    texts = set()
    for login, password in (("ann", "wrong"), ("zoe", "wrong"), ("sue", GOOD)):
        visitor = Browser(app)
        page = await visitor.get("/sign-in")
        fixed = dict(hidden(page.text, "/sign-in"))
        answer = await visitor.post(page, "/sign-in", login=login, password=password)
        assert answer.status_code == 403
        assert "password is wrong" in answer.text
        texts.add(answer.text.replace(f'value="{login}"', "").replace(fixed["seal"], ""))
        await visitor.client.aclose()
    assert len(texts) == 1


async def test_sign_ins_are_counted_by_result(browser: Browser, house: House) -> None:
    def counted(result: str) -> float:
        return REGISTRY.get_sample_value("sekisho_sign_ins_total", {"result": result}) or 0.0

    before = counted("ok"), counted("wrong")
    await browser.sign_in("ann", "wrong")
    await browser.sign_in("ann")
    assert (counted("ok"), counted("wrong")) == (before[0] + 1, before[1] + 1)


async def test_too_many_failures_close_a_strange_browser_not_ones_own(app: Starlette, house: House) -> None:
    own, stranger = Browser(app), Browser(app, "203.0.113.9")
    await own.sign_in("ann")
    for _ in range(house.settings.lock_after):
        assert (await stranger.sign_in("ann", "guess")).status_code == 403
    shut = await stranger.sign_in("ann", GOOD)
    assert shut.status_code == 429
    assert "Too many failed attempts" in shut.text
    own.client.cookies.delete(SESSION)
    assert (await own.sign_in("ann")).status_code == 303
    for each in (own, stranger):
        await each.client.aclose()


async def test_a_second_step_asks_for_a_code(browser: Browser, house: House, clock: HandClock) -> None:
    secret = one_time.new_secret()
    await house.people.own.set_totp("ann", secret, pyotp.TOTP(secret).at(house.now), ANN, house.now)
    step = await browser.sign_in("ann", wanted="/held")
    assert step.headers["location"] == "/sign-in/code?next=%2Fheld"
    assert browser.cookie == ""
    page = await browser.follow(step)
    wrong = await browser.post(page, "/sign-in/code", code="000000")
    assert wrong.status_code == 403
    assert 'aria-invalid="true"' in wrong.text
    clock.now += timedelta(seconds=30)
    entered = await browser.post(wrong, "/sign-in/code", code=pyotp.TOTP(secret).at(clock.now))
    assert entered.headers["location"] == "/held"
    assert browser.cookie != ""
    back = await browser.get("/sign-in/code")
    assert back.headers["location"] == "/sign-in"


async def test_signing_out_needs_the_form_and_ends_the_session(browser: Browser, house: House) -> None:
    await house.add("root", Grant(Role.ADMIN))
    await browser.sign_in("ann")
    cookie = browser.cookie
    refused = await browser.client.post("/sign-out", data={"seal": "x"})
    assert refused.status_code == 403
    assert await house.people.session(cookie, house.now) is not None
    session = await house.people.session(cookie, house.now)
    assert session is not None
    gone = await browser.client.post("/sign-out", data={"seal": (await _seal(browser, house))})
    assert gone.headers["location"] == "/sign-in?left=1"
    assert browser.cookie == ""
    assert await house.people.session(cookie, house.now) is None
    assert "You have signed out." in (await browser.follow(gone)).text


async def _seal(browser: Browser, house: House) -> str:
    page = await browser.get("/me")
    return dict(hidden(page.text, "/sign-out"))["seal"]


async def test_pages_before_sign_in_are_in_both_languages(browser: Browser) -> None:
    japanese = await browser.get("/sign-in?next=/held&lang=ja")
    assert "ログイン名" in japanese.text
    assert 'href="?next=%2Fheld&amp;lang=en"' in japanese.text
    assert "sekisho-language=ja" in japanese.headers["set-cookie"]  # and lasts behind the door
