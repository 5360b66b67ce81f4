"""Every page there is, in both languages and both themes: axe-core finds nothing, nothing sticks out of a phone's screen.

The pages are read off the application's routes (tests/console/whole.py builds the same one), so none can be forgotten: a route
that no page here comes from fails. SCREENSHOTS names a folder that gets a picture of each, for people to look at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.whole import filled, whole
from tests.journeys import axe
from tests.journeys.world import BOSS, CITIZENS, OFFICE, PHONE, PRIVACY, WIDE, World
from tests.process import wait_for

pytestmark = pytest.mark.interop

COLLEAGUE = "colleague@city.example.lg.jp"
NO_PAGES = {
    "/healthz": "text",
    "/readyz": "JSON",
    "/metrics": "text",
    "/static/{name}": "the sheet",
    "/figures.csv": "a file",
    "/d/{token}": "tests/interop/test_download_page.py",
    "/d/{token}/f/{place}": "a file",
    "/a/{token}/text": "leads to the page of the mail",
    "/m/{token}/key": "leads to the page of the mail",
    "/m/{token}/statement": "leads to the page of the mail",
    "/sign-in/code": "tests/journeys/test_sign_in.py",
    "/held/{queue_id}/key": "leads to the page of the mail",
    "/held/{queue_id}/statement": "leads to the page of the mail",
    "/held/{queue_id}/html": "a stranger's HTML in a frame: tests/console/mail",
    "/incidents/{queue_id}/draft.docx": "a file",
    "/certificates/{number}": "tests/console/test_log_pages.py",
    "/certificates/{number}/file": "a file",
    "/sign-in/oidc": "leads to the provider",
    "/sign-in/oidc/callback": "leads to a page of ours",
}
"""GET routes that the table of pages does not name, and why."""

PAGES: dict[str, str] = {
    "/": "",
    "/sign-in": "",
    "/nothing-here": "",
    "/m/{token}": "",
    "/m/{token}/take-back": "",
    "/a/{token}": "",
    "/figures": "admin",
    "/figures?span=12m": "city",
    "/c/{token}": "",
    "/n/{token}": "",
    "/i/{token}": "",
    "/r/{token}": "",
    "/approvals": "boss",
    "/approvals/many?mail={queue_id}": "boss",
    "/approvals/absence": "boss",
    "/log": "auditor",
    "/log?subject=zzz": "city",
    "/log/{queue_id}": "auditor",
    "/log/export": "auditor",
    "/log/verify": "auditor",
    "/record": "auditor",
    "/record?group=sports&month=2026-11": "auditor",
    "/certificates": "auditor",
    "/held": "office",
    "/held?words=zzz": "office",
    "/held/{queue_id}": "office",
    "/held/{queue_id}/text": "office",
    "/held/{queue_id}/take-back": "office",
    "/held/unknown": "admin",
    "/people": "admin",
    "/people/new": "admin",
    "/people/person?login=office": "admin",
    "/me": "auditor",
    "/me/password": "auditor",
    "/me/code": "auditor",
    "/incidents": "city",
    "/incidents/new?mail={queue_id}": "city",
    "/incidents/{queue_id}": "city",
}
"""Addresses, and who is signed in there."""


@dataclass
class Gallery:
    """Where pictures go; nowhere without SCREENSHOTS."""

    folder: Path | None

    def keep(self, page: Page, name: str) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.folder / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    wanted = os.environ.get("SCREENSHOTS", "")
    return Gallery(Path(wanted) if wanted else None)


@pytest.fixture(scope="module")
def named(world: World) -> dict[str, str]:
    """Values for what stands in braces: a mail that waits for an approval, its links, and an incident about it."""
    world.send([COLLEAGUE, *CITIZENS[:25]], "秋の教室 <b>全体</b>案内", files=["日程表.pdf"])
    held = world.link(world.letter(OFFICE, "秋の教室"), "m").rpartition("/")[2]
    world.letter(BOSS, "秋の教室")
    queue_id, links = world.links.read(held).queue_id, world.links
    report(world, queue_id)
    urls = (
        links.approval_url(queue_id, BOSS),
        links.colleague_url(queue_id, 0),
        links.incident_url(queue_id, PRIVACY),
        links.deletion_url(queue_id, 0),
        links.digest_url(OFFICE),
    )
    return {url.split("/")[3]: url.rpartition("/")[2] for url in urls} | {"m": held, "queue_id": queue_id}


def report(world: World, queue_id: str) -> None:
    """Open an incident about a mail, and ask the colleague who has it to delete it."""
    wait_for(lambda: COLLEAGUE in world.delivered("秋の教室"), "the copy of the colleague")
    with world.page() as page:
        world.sign_in(page, "city")
        page.goto(f"/incidents/new?mail={queue_id}")
        page.get_by_label(COLLEAGUE).check()
        page.locator("[name=what]").first.check()
        page.locator("[name=persons]").fill("120")
        page.locator("button.stop").click()
        page.locator("input[name=recipient][aria-label]").first.check()
        page.locator("form[action$='/ask'] button.go").click()
        expect(page.get_by_role("status")).to_be_visible()


def address(path: str, named: dict[str, str]) -> str:
    kind = path.split("/")[1]
    return filled(path, token=named.get(kind, "x"), queue_id=named["queue_id"])


@pytest.fixture(scope="module")
def cookies(world: World) -> Callable[[str], list[dict[str, object]]]:
    """Sign somebody in once, by the form; return their cookies."""
    known: dict[str, list[dict[str, object]]] = {"": []}

    def of(login: str) -> list[dict[str, object]]:
        if login not in known:
            with world.page() as page:
                world.sign_in(page, login)
                known[login] = [dict(cookie) for cookie in page.context.cookies()]
        return known[login]

    return of


def all_routes(folder: Path) -> set[str]:
    with whole(folder) as made:
        return {route.path for route in made.routes() if "GET" in (route.methods or set())}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return all_routes(tmp_path_factory.mktemp("routes"))


def fits(route: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route))
    return re.fullmatch(pattern, path.partition("?")[0]) is not None


def test_no_page_is_forgotten(routes: set[str]) -> None:
    missing = [
        route for route in routes if route not in NO_PAGES and not any(fits(route, path) for path in PAGES)
    ]
    assert sorted(missing) == []
    assert sorted(set(NO_PAGES) - routes) == []


def test_axe_finds_nothing(
    world: World,
    named: dict[str, str],
    cookies: Callable[[str], list[dict[str, object]]],
    gallery: Gallery,
    language: str,
) -> None:
    """Each page is loaded once: the phone becomes a wide screen, and light becomes dark, before its eyes."""
    found = list[str]()
    for login, paths in by_person():
        kept = cookies(login)
        with world.page("phone", language) as page:
            axe.prepare(page.context)
            page.context.add_cookies(kept)  # type: ignore[arg-type]
            for path in paths:
                page.goto(_in(language, address(path, named)))
                found += [
                    f"{path}: {each}" for each in _all_sights(page, gallery, f"{_name(path)}-{language}")
                ]
    assert found == []


def _all_sights(page: Page, gallery: Gallery, name: str) -> Iterator[str]:
    for shape, size in (("wide", WIDE), ("phone", PHONE)):
        page.set_viewport_size(size)
        yield from _wrong(page)
        gallery.keep(page, f"{name}-light-{shape}")
    yield from axe.violations(page)
    page.emulate_media(color_scheme="dark")
    yield from axe.violations(page, axe.COLOURS)
    gallery.keep(page, f"{name}-dark-phone")
    page.emulate_media(color_scheme="light")


def by_person() -> Iterator[tuple[str, list[str]]]:
    for login in sorted(set(PAGES.values())):
        yield login, [path for path, who in PAGES.items() if who == login]


def _in(language: str, path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


def _name(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path).strip("-") or "start"


def _wrong(page: Page) -> list[str]:
    """Return what axe does not look at: what is wider than the screen, targets that are too small, a missing name."""
    measured: dict[str, object] = page.evaluate(
        """() => {
          const small = [];
          for (const each of document.querySelectorAll('a, button, input, select, summary, textarea')) {
            const box = (each.closest('label') || each).getBoundingClientRect();
            const style = getComputedStyle(each);
            const inline = each.matches('a') && style.display === 'inline';
            if (box.width && box.height && !inline && !each.closest('.hidden, .skip') && !each.matches('.hidden, .skip')
                && (box.width < 24 || box.height < 24))
              small.push(each.outerHTML.slice(0, 100));
          }
          const thin = [];
          for (const each of document.querySelectorAll('caption, h1, h2, h3, p, legend, label, dt, dd, th, td')) {
            const box = each.getBoundingClientRect();
            const seen = !each.closest('thead, .hidden') && box.width > 1;
            if (seen && box.width < 48 && box.height > 4 * box.width) thin.push(each.outerHTML.slice(0, 100));
          }
          return {thin: thin, over: document.documentElement.scrollWidth - document.documentElement.clientWidth, small: small};
        }"""
    )
    over = [f"{measured['over']} px wider than the screen"] if measured["over"] else []
    small, thin = measured["small"], measured["thin"]
    assert isinstance(small, list)
    assert isinstance(thin, list)
    titled = [] if page.title() else ["no title"]
    squeezed = [f"text of one character a line: {each}" for each in thin]
    return over + [f"a small target: {each}" for each in small] + squeezed + titled
