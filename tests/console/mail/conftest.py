"""The pages of held mail over the real spool, with people who are signed in and mails of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.audit.log import EventLog
from gateway.console.app import create_app
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.people.contract import Grant, Role
from gateway.policy.decision import Decision, Outcome, Reason
from gateway.policy.demands import Demands, Form, Text
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from tests.console.browser import read
from tests.console.conftest import ORIGIN, HandClock
from tests.console.signing import KnownSessions
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, T0, WINDOW

CLERK, COLLEAGUE, STRANGER = (
    "clerk@sports.example.jp",
    "colleague@sports.example.jp",
    "other@library.example.jp",
)
CHIEF, ADMIN, AUDITOR, ORDERING = "chief@sports.example.jp", "root", "auditor", "city"
OUTSIDE = Outcome(True, Demands(window=WINDOW, form=Form.BCC), rules=("hide-recipients", "window"))
REASONS = (
    Reason("hide-recipients", Text("外部の宛先が2件以上見えます", "two or more recipients can be seen")),
    Reason("window", Text("外部宛てのメールです", "the mail goes outside")),
)


def letter(
    *to: str,
    sender: str = CLERK,
    subject: str = "テニス教室のお知らせ",
    body: bytes | None = None,
    outcome: Outcome = OUTSIDE,
    groups: tuple[str, ...] = ("sports",),
    at: datetime = T0,
) -> NewMessage:
    """Return a held mail; `body` is everything below the fields that stand in every mail."""
    people = tuple(parse_path(each) for each in to or ("sato@example.com", "suzuki@example.net"))
    envelope = Envelope(parse_path(sender), people, Client("192.0.2.10", "pc", sender, True))
    rest = (
        body if body is not None else "Content-Type: text/plain; charset=utf-8\r\n\r\n本文です。\r\n".encode()
    )
    raw = f"From: <{sender}>\r\nTo: {', '.join(map(str, people))}\r\nSubject: x\r\n".encode() + rest
    decision = Decision("d", (outcome,), (0,) * len(people), reasons=REASONS, internal=("sports.example.jp",))
    return NewMessage(envelope, raw, decision, at, subject, facts=gather(envelope, raw), groups=groups)


@dataclass
class Browser:
    """One person's browser: pages are read and forms posted as they stand there."""

    client: httpx.AsyncClient
    login: str

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def text(self, path: str) -> str:
        return read(await self.get(path)).text

    async def post(self, page: str, path: str, *fields: tuple[str, str]) -> httpx.Response:
        """Post a form of `page` to `path`, with its seal."""
        seal = read(await self.get(page)).fields["seal"]
        return await self.post_raw(path, ("seal", seal), *fields)

    async def post_raw(self, path: str, *fields: tuple[str, str]) -> httpx.Response:
        body = httpx.QueryParams(list(fields))
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
        return await self.client.post(path, content=str(body), headers=headers)

    async def told(self, response: httpx.Response) -> str:
        """Return what the page says that a form leads to."""
        assert response.status_code == 303, response.text
        return await self.text(response.headers["location"])


SignIn = Callable[[str], AbstractAsyncContextManager[Browser]]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def spool(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def sessions() -> KnownSessions:
    known = KnownSessions()
    known.add(CLERK, Grant(Role.SENDER))
    known.add(COLLEAGUE, Grant(Role.SENDER), Grant(Role.SENDER, "sports"))
    known.add(STRANGER, Grant(Role.SENDER))
    known.add(CHIEF, Grant(Role.APPROVER))
    for login, role in ((ADMIN, Role.ADMIN), (AUDITOR, Role.AUDITOR), (ORDERING, Role.ORDERING)):
        known.add(login, Grant(role), addresses=(f"{login}@city.example.lg.jp",))
    return known


@pytest.fixture
def sign_in(spool: SqlSpool, links: Links, clock: HandClock, sessions: KnownSessions) -> SignIn:
    app = create_app(
        spool,
        links,
        clock,
        ZoneInfo("Asia/Tokyo"),
        "mx.sports.example.jp",
        sessions=sessions,
        events=EventLog.over(spool.database.readers),
    )

    @asynccontextmanager
    async def opened(login: str) -> AsyncIterator[Browser]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        cookies = {"__Host-sekisho": login}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies) as client:
            yield Browser(client, login)

    return opened


def copied(message: NewMessage, copy: str) -> NewMessage:
    """Return the mail with a copy that a rule asked for, of which its sender must not hear."""
    envelope = replace(message.envelope, recipients=(*message.envelope.recipients, parse_path(copy)))
    decision = replace(message.decision, assigned=(*message.decision.assigned, 0), copied=1)
    return replace(message, envelope=envelope, decision=decision, facts=None)
