"""The frame around pages: the language switch keeps what was asked and lasts, errors say what to do, menus stay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.responses import Response

from gateway.console.app import create_app
from gateway.console.gate import ANYBODY, Gated, Visit
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.links import Links
from gateway.people.contract import Role
from tests.console.browser import read
from tests.console.conftest import ORIGIN, FileSpool, HandClock
from tests.console.signing import KnownSessions, one_of_each

Open = Callable[..., Awaitable[httpx.Response]]
COOKIE = "__Host-sekisho"
WHO = "admin@example.jp"


@pytest.fixture
def people() -> KnownSessions:
    people = one_of_each()
    people.add("nobody@example.jp")
    return people


@pytest.fixture
def site_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the console's own: a page, and one that fails with the status in its address."""

    def routes(site: Site, *_: object) -> list[Gated]:
        async def page(visit: Visit) -> Response:
            return site.page(visit, "inside.html", {}, here="/held")

        async def failing(visit: Visit) -> Response:
            raise Failure(int(visit.request.path_params["status"]))

        admins = frozenset({Role.ADMIN})
        return [
            Gated("/page", page, site.gate, ANYBODY),
            Gated("/admins", page, site.gate, admins, methods=["GET", "POST"]),
            Gated("/fails/{status}", failing, site.gate, ANYBODY),
        ]

    monkeypatch.setattr("gateway.console.app.signed_in_routes", routes)


@pytest.fixture
async def open_as(
    site_routes: None, spool: FileSpool, links: Links, clock: HandClock, people: KnownSessions
) -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    app = create_app(spool.door(), links, clock, ZoneInfo("Asia/Tokyo"), "mx.example.jp", sessions=people)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:

        async def opened(path: str, who: str = WHO, method: str = "GET", **headers: str) -> httpx.Response:
            if who:
                client.cookies.set(COOKIE, who)
            return await client.request(method, path, headers=headers)

        yield opened


async def test_the_switch_keeps_what_the_page_was_asked(open_as: Open) -> None:
    page = read(await open_as("/page?words=%22%3E%E6%9D%BE&lang=ja&after=x"))
    (link,) = [a["href"] for tag, a in page.tags if tag == "a" and "hreflang" in a]
    assert link == "?words=%22%3E%E6%9D%BE&after=x&lang=en"


async def test_a_language_that_was_chosen_lasts(open_as: Open) -> None:
    assert '<html lang="ja">' in (await open_as("/page")).text
    answer = await open_as("/page?lang=en")
    assert "sekisho-language=en; HttpOnly; Path=/; SameSite=lax; Secure" in answer.headers["set-cookie"]
    assert "max-age" not in answer.headers["set-cookie"].lower()
    assert '<html lang="en">' in (await open_as("/page")).text
    assert '<html lang="en">' in (await open_as("/nothing")).text


async def test_the_menu_marks_where_one_is(open_as: Open) -> None:
    page = read(await open_as("/page"))
    current = [a["href"] for tag, a in page.tags if tag == "a" and a.get("aria-current") == "page"]
    assert current == ["/held"]
    assert [a["action"] for tag, a in page.tags if tag == "form"] == ["/sign-out"]
    assert page.fields["seal"]


async def test_a_skip_link_comes_first(open_as: Open) -> None:
    page = read(await open_as("/page"))
    assert next(a for tag, a in page.tags if tag in ("a", "button", "summary"))["href"] == "#main"
    assert [a["id"] for tag, a in page.tags if tag == "main"] == ["main"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "一覧から探してください"),
        (409, "操作の間に状態が変わりました"),
        (410, "期限"),
        (413, "一度に送信できる量"),
        (429, "数分待ってから"),
        (400, "ページを開き直して"),
        (500, "ページを開き直して"),
        (503, "1分ほど待ってから"),
    ],
)
async def test_an_error_says_what_to_do_and_keeps_the_menu(open_as: Open, status: int, words: str) -> None:
    answer = await open_as(f"/fails/{status}")
    assert answer.status_code == status
    page = read(answer)
    assert words in page.text
    assert "/sign-out" in [a.get("action") for tag, a in page.tags if tag == "form"]
    assert [tag for tag, _ in page.tags].count("h1") == 1


async def test_a_page_of_others_says_whom_to_ask(open_as: Open) -> None:
    answer = await open_as("/admins", "sender@example.jp")
    assert answer.status_code == 403
    assert "見る権限がありません" in answer.text
    assert "notice" not in answer.text


async def test_a_form_after_the_session_says_where_to_sign_in(open_as: Open) -> None:
    answer = await open_as("/admins", "stranger", "POST")
    assert answer.status_code == 401
    assert 'href="/sign-in"' in answer.text
    assert "何も変更していません" in answer.text


async def test_a_form_that_is_not_ours_changes_nothing_and_says_so(open_as: Open) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await open_as("/admins", method="POST", **headers)
    assert answer.status_code == 403
    assert "ページを開き直して、もう一度ボタンを押してください" in answer.text


async def test_an_error_outside_has_no_menu(open_as: Open) -> None:
    answer = await open_as("/nothing", "")
    assert answer.status_code == 404
    assert "/sign-out" not in answer.text


@pytest.mark.parametrize(
    ("who", "leads"),
    [("sender@example.jp", "/held"), ("auditor@example.jp", "/log"), ("nobody@example.jp", "/me")],
)
async def test_the_first_page_is_where_the_work_begins(open_as: Open, who: str, leads: str) -> None:
    answer = await open_as("/", who)
    assert (answer.status_code, answer.headers["location"]) == (303, leads)


async def test_the_first_page_of_a_stranger_offers_to_sign_in(open_as: Open) -> None:
    answer = await open_as("/", "")
    assert answer.status_code == 200
    assert 'href="/sign-in"' in answer.text


async def test_without_accounts_nobody_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    assert "sign-in" not in (await client.get("/")).text
