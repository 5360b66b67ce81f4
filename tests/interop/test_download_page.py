"""The download page on a phone, by keys alone: a person with a link and a mailbox gets the file, and nobody else does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import utc_now
from gateway.config.settings import Listen
from gateway.console.app import create_app
from gateway.console.server import http_server
from gateway.links import Links
from gateway.policy.protection import Way
from gateway.spool.lifecycle import Kind
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from tests.interop.chromium import Phone, phone
from tests.interop.conftest import require
from tests.process import free_port, wait_for
from tests.spool.conftest import MASTER
from tests.spool.sharing import LISTED, PLAN, linked, sent, wrong

pytestmark = pytest.mark.interop

T = TypeVar("T")
CONTENT = PLAN.replace(b"\n", b"\r\n")
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


class Site:
    """The pages over a real spool, on a thread of their own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.links = Links(b"a secret of at least 32 octets, for tests", self.url, timedelta(days=7))
        self.spool: SqlSpool
        self.loop = asyncio.new_event_loop()
        self._folder = folder
        self._thread = threading.Thread(target=self.loop.run_forever)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def code(self) -> str:
        """Read the newest letter."""
        notices = self.run(self.spool.notices.pending(100))
        code = self.spool.shares.code_of(notices[-1])
        assert (notices[-1].kind, code is None) == (NoticeKind.CODE, False)
        return str(code)

    @contextmanager
    def served(self) -> Iterator[None]:
        self._thread.start()
        self.run(self._open())
        try:
            yield
        finally:
            self.run(self._close())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()

    async def _open(self) -> None:
        self.spool = open_spool(self._folder / "state", MASTER, serve=True)
        app = create_app(self.spool, self.links, utc_now, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp")
        self._server = http_server(app, Listen(host="127.0.0.1", port=self.port))
        await self._server.__aenter__()

    async def _close(self) -> None:
        await self._server.__aexit__(None, None, None)
        await self.spool.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    require("chromium")
    made = Site(tmp_path)
    with made.served():
        yield made


@pytest.fixture
def person(site: Site, tmp_path: Path) -> Iterator[Phone]:
    with phone(require("chromium"), tmp_path) as opened:
        yield opened


def ask(person: Phone) -> None:
    person.tab_to("form[action*='/code'] button")
    person.press("Enter")
    person.until("document.querySelector('[role=status]') !== null")


def enter(person: Phone, code: str) -> None:
    person.tab_to("#code")
    person.type(code)
    person.press("Enter")


def test_a_file_is_fetched_on_a_phone_by_keys_alone(site: Site, person: Phone, tmp_path: Path) -> None:
    queue_id = site.run(sent(site.spool, linked(downloads=1, at=utc_now()), utc_now()))
    link = site.links.share_url(queue_id, 0)
    person.open(link)
    assert person.read(FITS) is True
    assert LISTED not in person.text()
    ask(person)
    code = site.code()
    assert person.read("document.activeElement.id") == "code"
    enter(person, wrong(code))
    person.until("document.querySelector('[role=alert]') !== null")
    assert LISTED not in person.text()
    enter(person, code)
    person.until("document.querySelector('.fetchable') !== null")
    assert LISTED in person.text()
    assert person.read(FITS) is True
    person.picture(tmp_path / "files.png")
    person.tab_to("a.fetch")
    person.press("Enter")
    fetched = person.downloads / LISTED
    wait_for(lambda: fetched.is_file() and fetched.stat().st_size == len(CONTENT), "the file")
    assert fetched.read_bytes() == CONTENT
    person.open(link)
    assert person.read("document.querySelectorAll('a.fetch').length") == 1  # the other file
    history = site.run(site.spool.shares.history(queue_id))
    kinds = [Kind.SHARE_CODE, Kind.SHARE_DENIED, Kind.SHARE_OPENED, Kind.SHARE_FETCHED]
    assert [each.kind for each in history] == kinds


def test_what_was_taken_back_is_gone_for_who_had_it_open(site: Site, person: Phone) -> None:
    queue_id = site.run(sent(site.spool, linked(at=utc_now()), utc_now()))
    link = site.links.share_url(queue_id, 0)
    person.open(link)
    ask(person)
    enter(person, site.code())
    person.until("document.querySelector('.fetchable') !== null")
    taken = site.run(site.spool.shares.take_back(queue_id, None, Actor("sender"), utc_now()))
    assert [index for index, _ in taken.opened] == [0]
    person.tab_to("a.fetch")
    person.press("Enter")
    person.open(link)
    assert LISTED not in person.text()
    assert not list(person.downloads.glob("*.pdf"))
    assert not [
        each for each in site.run(site.spool.shares.history(queue_id)) if each.kind is Kind.SHARE_FETCHED
    ]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_fits_and_names_what_it_asks_for(site: Site, person: Phone, language: str) -> None:
    queue_id = site.run(sent(site.spool, linked(at=utc_now(), needs_key=True, way=Way.SMS), utc_now()))
    person.open(f"{site.links.share_url(queue_id, 0)}?lang={language}")
    assert person.read("document.documentElement.lang") == language
    assert person.read(FITS) is True
    unnamed = (
        "[...document.querySelectorAll('input:not([type=hidden])')].filter(e => !e.labels.length).length"
    )
    assert person.read(unnamed) == 0
    tall = "[...document.querySelectorAll('button, input:not([type=hidden])')]"
    assert person.read(f"{tall}.every(e => e.getBoundingClientRect().height >= 40)") is True
    person.tab_to("#key")
