"""The console over a real store, with people who are signed in, and what a browser does with its forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx

from gateway.console.app import create_app
from gateway.incidents.door import Incidents
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.spool.sql import SqlSpool
from tests.console.browser import read
from tests.console.signing import KnownSessions
from tests.incidents.cases import LATER, OFFICER, WARD
from tests.spool.mails import SENDER

ORIGIN = "http://sekisho.example.jp"
SECRET = b"a secret of at least 32 octets, for tests"
LINKS = Links(SECRET, ORIGIN, timedelta(days=7), lambda: LATER)
OTHER = "other@example.jp"


def signed_in() -> KnownSessions:
    """Return the sender, an officer of the city, the ordering body of two groups, and others."""
    sessions = KnownSessions()
    sessions.add(str(SENDER), Grant(Role.SENDER))
    sessions.add(OFFICER, Grant(Role.ADMIN))
    sessions.add(WARD, Grant(Role.ORDERING, "sports"))
    sessions.add("library@city.example.lg.jp", Grant(Role.ORDERING, "library"))
    sessions.add(OTHER, Grant(Role.SENDER))
    sessions.add("boss@example.jp", Grant(Role.APPROVER))
    sessions.add("audit@example.jp", Grant(Role.AUDITOR))
    return sessions


@dataclass
class Now:
    """A clock that stands until it is moved; `rung` counts how often letters were said to wait."""

    now: datetime = LATER
    rung: int = 0

    def __call__(self) -> datetime:
        return self.now

    def ring(self) -> None:
        self.rung += 1


def browser(spool: SqlSpool, incidents: Incidents, clock: Now, person: str = "") -> httpx.AsyncClient:
    """Return the browser of somebody; of nobody who is signed in without a name."""
    app = create_app(
        spool,
        LINKS,
        clock,
        ZoneInfo("Asia/Tokyo"),
        "mx.sports.example.jp",
        ring=clock.ring,
        sessions=signed_in(),
        incidents=incidents,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    cookies = {"sekisho": person} if person else {}
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies)


def form_of(page: httpx.Response, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that leads to `action`; the page has to have it."""
    sheet = read(page)
    actions = [attrs.get("action", "") for tag, attrs in sheet.tags if tag == "form"]
    actions += [button.get("formaction", "") for button in sheet.buttons]
    assert [each for each in actions if each.partition("?")[0].endswith(action)], actions
    return {"seal": sheet.fields["seal"]}


async def send(
    client: httpx.AsyncClient, path: str, fields: dict[str, str | list[str]], site: str = "same-origin"
) -> httpx.Response:
    """Post a form as a browser does; redirects are not followed."""
    return await client.post(path, data=fields, headers={"sec-fetch-site": site, "origin": "null"})


async def press(
    client: httpx.AsyncClient, page: httpx.Response, path: str, **fields: str | list[str]
) -> httpx.Response:
    """Press a button on a page and follow to the one that answers."""
    answer = await send(client, path, {**form_of(page, path.partition("?")[0]), **fields})
    assert answer.status_code == 303, read(answer).text
    return await client.get(answer.headers["location"])
