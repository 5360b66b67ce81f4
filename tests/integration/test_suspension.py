"""Suspended is suspended, on the pages and for mail, whichever of the two says so (decision 0077)."""

from __future__ import annotations

import http.cookiejar
import re
import smtplib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.receive.account import Account
from gateway.receive.accounts_file import write
from tests.people.conftest import CHEAP
from tests.process import Gateway, NextHop, next_hop, wait_for

OFFICE = "office@sports.example.jp"
ACCOUNT = Account(login="Office", password=CHEAP.hash("mail password"), addresses=(OFFICE,))
STRANGERS = "auth_requires_tls: false"


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    write(tmp_path / "accounts.yaml", (ACCOUNT,))
    running = Gateway(tmp_path, hop.port, extra="accounts: accounts.yaml\n")
    running.write()
    settings = running.config.read_text(encoding="utf-8")
    running.config.write_text(re.sub(r"trusted_networks: .*", STRANGERS, settings), encoding="utf-8")
    running.start()
    try:
        yield running
    finally:
        running.stop()


class Page:
    """A browser, as far as signing in needs one."""

    def __init__(self, gw: Gateway) -> None:
        self.url = f"http://127.0.0.1:{gw.web_port}"
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def open(self, path: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        """Return where one ends up, and the page."""
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        try:
            with self._opener.open(self.url + path, data, timeout=20) as answer:
                return answer.url.removeprefix(self.url), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.url.removeprefix(self.url), error.read().decode()

    def sign_in(self, password: str) -> None:
        _, page = self.open("/sign-in")
        seal = re.search(r'name="seal" value="([^"]+)"', page)
        assert seal is not None
        self.open("/sign-in", {"seal": seal[1], "next": "/me", "login": "office", "password": password})

    def is_in(self) -> bool:
        return self.open("/me")[0].startswith("/me")


def sessions(gw: Gateway) -> list[smtplib.SMTP]:
    """Return open sessions."""
    opened = [smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) for _ in range(2)]
    for each in opened:
        each.login("office", "mail password")
    return opened


def may_send(session: smtplib.SMTP) -> bool:
    session.rset()
    code, _ = session.mail(OFFICE)
    assert code in (250, 530)
    return code == 250


def test_either_of_both_stops_everything(gw: Gateway) -> None:
    place = ("--config", str(gw.config))
    password = gw.cli("person", "add", "office", "-r", "sender", "--temporary", *place).stdout.strip()
    page = Page(gw)
    page.sign_in(password)
    assert page.is_in()

    opened = sessions(gw)
    assert all(map(may_send, opened))
    gw.cli("person", "suspend", "office", *place)
    assert not page.is_in()
    wait_for(lambda: not any(list(map(may_send, opened))), "mail in to hear of it")
    with (
        smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as late,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        late.login("office", "mail password")

    gw.cli("person", "resume", "office", *place)
    assert not page.is_in()
    page.sign_in(password)
    assert page.is_in()
    write(gw.folder / "accounts.yaml", (ACCOUNT.model_copy(update={"suspended": True}),))
    assert not page.is_in()
    write(gw.folder / "accounts.yaml", (ACCOUNT,))
    assert not page.is_in()
    for each in opened:
        each.close()
