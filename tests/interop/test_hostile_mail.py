"""Hostile mail in a real browser: its HTML is looked at in its frame, and no request, script or word gets out of there."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from gateway.audit.log import EventLog
from gateway.clock import utc_now
from gateway.config.settings import Listen
from gateway.console.app import create_app
from gateway.console.server import http_server
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.spool.sql import SqlSpool, open_spool
from tests.console.mail.conftest import CLERK, letter
from tests.console.signing import KnownSessions
from tests.interop.chromium import phone
from tests.interop.conftest import require
from tests.process import free_port
from tests.spool.conftest import MASTER

pytestmark = pytest.mark.interop

T = TypeVar("T")
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Trap:
    """A server that nobody may come to: it counts who does."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                self._listener.accept()[0].close()
            except OSError:
                return
            self.visits += 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def hostile(trap: int) -> bytes:
    """Return HTML that tries every way out there is, and a picture that may be shown."""
    out = f"http://127.0.0.1:{trap}"
    html = f"""<html><head><base href="{out}/"><meta http-equiv="refresh" content="0;url={out}/refresh">
<link rel="stylesheet" href="{out}/a.css">
<link rel="prefetch" href="{out}/p"><link rel="dns-prefetch" href="//127.0.0.1:{trap}">
<style>@import url({out}/b.css); body {{ background: url({out}/bg) }}
@font-face {{ font-family: x; src: url({out}/f) }}</style>
<script src="{out}/x.js"></script>
<script>fetch("{out}/fetch"); top.location = "{out}/top"; document.title = "taken"</script></head>
<body background="{out}/body" onload="fetch('{out}/onload')"><h1>MARK-OF-THE-MAIL</h1>
<img src="{out}/1.gif" srcset="{out}/2.gif 2x" onerror="fetch('{out}/onerror')"><img src="//127.0.0.1:{trap}/3.gif">
<img src="data:image/png;base64,{PNG}" alt="dot"><img src="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=">
<svg><image href="{out}/svg" /><use xlink:href="{out}/use#a" /></svg>
<video src="{out}/v" poster="{out}/poster" autoplay></video>
<audio src="{out}/audio" autoplay></audio><iframe src="{out}/frame"></iframe><object data="{out}/object"></object>
<embed src="{out}/embed"><form action="{out}/form"><input autofocus onfocus="this.form.submit()"></form>
<table background="{out}/table"><tr><td style="background:url({out}/td);color:red">cell</td></tr></table>
<p style="position:fixed;top:0;left:0;width:9999px;height:9999px;background:red">over all</p>
<a href="{out}/link" ping="{out}/ping" target="_top">a link</a><a href="javascript:fetch('{out}/js')">script</a>
<noscript><img src="{out}/noscript"></noscript><isindex action="{out}/isindex"></body></html>"""
    return b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.replace("\n", "\r\n").encode()


class Site:
    """The pages over a real spool, on a thread of their own, with one person signed in."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.spool: SqlSpool
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @contextmanager
    def open(self) -> Iterator[None]:
        self._thread.start()
        serving = self.run(self._serve())
        try:
            yield
        finally:
            self.run(self._close(serving))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _serve(self) -> Any:
        self.spool = open_spool(self._folder / "state", MASTER, serve=True)
        sessions = KnownSessions()
        sessions.add(CLERK, Grant(Role.SENDER))
        links = Links(b"a secret of at least 32 octets, for tests", self.url, timedelta(days=7))
        log = EventLog.over(self.spool.database.readers)
        zone = ZoneInfo("Asia/Tokyo")
        app = create_app(self.spool, links, utc_now, zone, "gw.example.jp", sessions=sessions, events=log)
        serving = http_server(app, Listen(host="127.0.0.1", port=self.port))
        await serving.__aenter__()
        return serving

    async def _close(self, serving: Any) -> None:
        await serving.__aexit__(None, None, None)
        await self.spool.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.open():
        yield made


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


def test_nothing_gets_out_of_the_frame(site: Site, trap: Trap, tmp_path: Path) -> None:
    body = hostile(trap.port)
    queue_id = site.run(
        site.spool.accept(letter(subject="<script>document.title='taken'</script>", body=body, at=utc_now()))
    )
    with phone(require("chromium"), tmp_path) as browser:
        browser.do("Network.setCookie", name="sekisho", value=CLERK, url=site.url)
        browser.open(f"{site.url}/held/{queue_id}")
        browser.read("document.querySelector('details.looks').open = true")
        browser.until("document.querySelector('iframe.looks') !== null")
        browser.read("document.querySelector('iframe.looks').scrollIntoView()")
        browser.until(
            "performance.getEntriesByType('resource').some(each => each.name.includes('/html?ticket='))"
        )
        assert "MARK-OF-THE-MAIL" in browser.text()  # of its words, in the plain text
        # A sandboxed page is of another origin than ours: neither side reads the other.
        assert browser.read("document.querySelector('iframe.looks').contentDocument") is None
        assert "taken" not in str(browser.read("document.title.replace(\"document.title='taken'\", '')"))
        assert browser.read(FITS) is True
        alone = str(browser.read("document.querySelector('iframe.looks').src"))
        browser.open(alone)  # by itself it is as harmless
        browser.until("document.body.innerText.includes('MARK-OF-THE-MAIL')")
        assert "a link [http://127.0.0.1" in browser.text()
        assert browser.read("document.images.length") == 1
        assert browser.read("document.images[0].naturalWidth") == 1
        assert browser.read("document.scripts.length + document.links.length + document.forms.length") == 0
        assert browser.read("location.href") == alone
    assert trap.visits == 0


def test_a_list_of_hostile_subjects_fits_a_phone(site: Site, trap: Trap, tmp_path: Path) -> None:
    for subject in (f"<img src=http://127.0.0.1:{trap.port}/>", "W" * 300, "\u202e逆さ", "長" * 300):
        site.run(site.spool.accept(letter(subject=subject, body=hostile(trap.port), at=utc_now())))
    with phone(require("chromium"), tmp_path) as browser:
        browser.do("Network.setCookie", name="sekisho", value=CLERK, url=site.url)
        browser.open(f"{site.url}/held?lang=ja")
        browser.until("document.querySelectorAll('tbody tr').length === 4")
        assert browser.read(FITS) is True
        assert browser.read("document.images.length") == 0
        browser.until("document.querySelector('.left').textContent.includes('秒')")
    assert trap.visits == 0


def test_the_trap_would_tell(trap: Trap, tmp_path: Path) -> None:
    with phone(require("chromium"), tmp_path) as browser:
        browser.do("Page.navigate", url=f"data:text/html,<img src=http://127.0.0.1:{trap.port}/>")
        browser.until("document.images.length === 1 && document.images[0].complete")
    assert trap.visits > 0
