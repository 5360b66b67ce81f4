"""The whole application as the service puts it together, over a store of its own, with people of every role and held mails.

What is tested here is tested on every route there is: the routes are read off the application, and a new one comes by itself.
Requests go to the application in its own loop (one thread), with a session that the store really has.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.config.policies import PolicyInForce
from gateway.config.settings import Settings
from gateway.console.gate import Gated
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.people import session_rows
from gateway.people.contract import Grant, Person, Role
from gateway.people.session_rows import Origin
from gateway.service.rooms import Rooms
from gateway.service.web import web_app
from gateway.spool.sql import open_spool
from gateway.spool.times import to_us
from gateway.spool.values import SYSTEM
from gateway.store.keys import MasterKey
from gateway.store.where import Where

ORIGIN = "http://127.0.0.1:8025"
OFFICE, BOSS, DEPUTY = "office@sports.example.jp", "boss@sports.example.jp", "deputy@sports.example.jp"
CITIZENS = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")
NOBODY = ""  # who is not signed in
OUTSIDERS = ("other", "boss-of-others", "admin-of-library", "auditor-of-library", "ordering-of-library")

SETTINGS = f"""\
hostname: gw.example.jp
state: var
smtp: {{listen: ['127.0.0.1:2525'], trusted_networks: [127.0.0.0/8]}}
delivery: {{smarthost: {{host: 127.0.0.1, port: 9, tls: 'off'}}}}
web: {{listen: 127.0.0.1:8025, public_url: '{ORIGIN}'}}
"""
POLICY = f"""\
version: 1
organisation: {{name: 目黒区, internal: [city.example.lg.jp, sports.example.jp, library.example.jp]}}
groups:
  sports: {{senders: ["@sports.example.jp"], approvers: [{BOSS}, {DEPUTY}]}}
  library: {{senders: ["@library.example.jp"], approvers: [chief@library.example.jp, vice@library.example.jp]}}
rules:
  - id: hide-recipients
    reason: {{ja: 外部の宛先が2件以上見えます, en: two or more external recipients are visible}}
    when: {{visible_external: {{at_least: 2}}}}
    then: {{recipients: bcc}}
  - id: cancel-window
    reason: {{ja: 外部への送信です, en: mail going outside}}
    when: {{external: {{at_least: 1}}}}
    then: {{hold: 1h, notify: [sender]}}
  - id: bulk-needs-two
    reason: {{ja: 外部の宛先が3件以上です, en: three or more external recipients}}
    when: {{sender_in: sports, external: {{at_least: 3}}}}
    then: {{approve: {{by: approvers, at_least: 1, within: 4h, otherwise: cancel}}}}
"""
SUBJECT = "テニス教室のお知らせ"
MAIL = """\
From: 体育館 事務室 <{sender}>
To: {to}
Subject: {subject}
Date: Mon, 16 Nov 2026 09:00:00 +0900
Message-ID: <{number}@sports.example.jp>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

お世話になっております。テニス教室の日程をお送りします。
--b
Content-Type: text/html; charset=utf-8

<p>お世話になっております。<b>日程</b></p>
--b
Content-Type: application/pdf; name="nittei.pdf"
Content-Disposition: attachment; filename="nittei.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--b--
"""
_numbers = itertools.count(1)


def people() -> dict[str, Person]:
    """Return one person of each role, who has that role for everything, and others who have it for the library alone."""
    found = [
        Person("sender", "佐藤 花子", (OFFICE,), (Grant(Role.SENDER, "sports"),)),
        Person("approver", "鈴木 一郎", (BOSS,), (Grant(Role.APPROVER),)),
        Person("admin", "管理 者", ("admin@city.example.lg.jp",), (Grant(Role.ADMIN),)),
        Person("auditor", "監査 係", ("audit@city.example.lg.jp",), (Grant(Role.AUDITOR),)),
        Person("ordering-body", "区 担当", ("ku@city.example.lg.jp",), (Grant(Role.ORDERING),)),
        Person("other", "図書 館", ("desk@library.example.jp",), (Grant(Role.SENDER, "library"),)),
        Person("boss-of-others", "図書 長", ("chief@library.example.jp",), (Grant(Role.APPROVER),)),
        Person("admin-of-library", "図書 管理", ("la@library.example.jp",), (Grant(Role.ADMIN, "library"),)),
        Person(
            "auditor-of-library", "図書 監査", ("lb@library.example.jp",), (Grant(Role.AUDITOR, "library"),)
        ),
        Person(
            "ordering-of-library", "図書 区", ("lc@library.example.jp",), (Grant(Role.ORDERING, "library"),)
        ),
    ]
    return {person.login: person for person in found}


@dataclass
class Whole:
    """The application while it is there. `sessions` are cookies by login; verbs wait for their answer."""

    app: Starlette
    rooms: Rooms
    portal: BlockingPortal
    cookie_name: str = "sekisho"
    sessions: dict[str, str] = field(default_factory=dict)
    seals: dict[str, str] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """Return every route there is."""
        return [route for route in self._flat(self.app.routes) if isinstance(route, Route)]

    def gated(self) -> list[Gated]:
        return [route for route in self.routes() if isinstance(route, Gated)]

    def _flat(self, routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
        for route in routes:
            yield route
            yield from self._flat(getattr(route, "routes", None) or [])

    def ask(
        self,
        method: str,
        path: str,
        who: str = NOBODY,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send one request with somebody's session; redirects are not followed."""
        cookies = {self.cookie_name: self.sessions[who]} if who else {}
        return self.portal.call(self._ask, method, path, cookies, fields, dict(headers or {}), content)

    async def _ask(
        self,
        method: str,
        path: str,
        cookies: dict[str, str],
        fields: Mapping[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies) as client:
            return await client.request(method, path, data=fields, headers=headers, content=content)

    def post(self, path: str, who: str = NOBODY, **fields: str) -> httpx.Response:
        """Post a form as a page of ours would, with the seal of the session."""
        return self.ask("POST", path, who, {"seal": self.seals.get(who, ""), **fields}, SAME_SITE)

    def sign_in(self, login: str) -> None:
        """Give somebody a new session, as signing in at a provider does: with no duty to do first."""
        self.portal.call(self._sign_in, login)

    async def _sign_in(self, login: str) -> None:
        new, now = session_rows.fresh(), to_us(utc_now())
        origin, day = Origin("127.0.0.1", "test"), timedelta(days=1)
        job: Callable[[Any], None] = lambda tx: session_rows.insert(  # noqa: E731 - one job of the committer
            tx, new, login, "in", "openid", origin, now, day
        )
        await self.rooms.spool.database.committer.run(job)
        self.sessions[login] = new.cookie
        self.seals[login] = self.rooms.links.seal(new.form_key, {"form": 1})

    def hand_in(self, sender: str, recipients: Sequence[str], subject: str = SUBJECT) -> str:
        """Hand a mail in; return its queue id."""
        return self.portal.call(self._hand_in, sender, recipients, subject)

    async def _hand_in(self, sender: str, recipients: Sequence[str], subject: str) -> str:
        text = MAIL.format(sender=sender, to=", ".join(recipients), subject=subject, number=next(_numbers))
        envelope = Envelope(
            parse_path(sender),
            tuple(parse_path(each) for each in recipients),
            Client("127.0.0.1", "pc", sender.partition("@")[0], True),
        )
        reply = await self.rooms.submit(envelope, text.replace("\n", "\r\n").encode())
        found = re.search(r"[0-9A-Za-z]{8,}", reply.text)
        assert reply.code == 250, reply
        assert found, reply
        return found[0]

    def states(self, queue_id: str) -> list[str]:
        """Return how each recipient of a mail stands."""
        message = self.portal.call(self.rooms.spool.get, queue_id)
        return [row.state.value for row in message.recipients]

    def events(self) -> int:
        """Return how many events the log has: who changed something wrote one."""
        rows = self.rooms.spool.database.readers.read(
            lambda queries: queries.connection.exec_driver_sql("SELECT count(*) FROM events").all()
        )
        return int(rows[0][0])


SAME_SITE = {"sec-fetch-site": "same-origin", "origin": ORIGIN}


@contextmanager
def whole(folder: Path) -> Iterator[Whole]:
    """Put everything together below `folder`; people have sessions."""
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "a.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "sekisho.yaml").write_text(
        SETTINGS.replace("state: var", f"state: {folder / 'var'}") + f"policies: {folder / 'policies'}\n",
        encoding="utf-8",
    )
    settings = load_settings(folder / "sekisho.yaml", {})
    with start_blocking_portal() as portal:
        stack = AsyncExitStack()
        made = portal.call(_build, stack, settings, portal)
        try:
            for login in people():
                made.sign_in(login)
            yield made
        finally:
            portal.call(stack.aclose)


async def _build(stack: AsyncExitStack, settings: Settings, portal: BlockingPortal) -> Whole:
    key = MasterKey(bytes(range(32)))
    spool = open_spool(Where(settings.state), key, serve=True)
    stack.push_async_callback(spool.close)
    policy = PolicyInForce(settings.policies)
    await policy.reload()
    rooms = Rooms(settings, key, spool, policy, lambda changes: None)
    for room in (rooms.pool, rooms.reader, rooms.sealing, rooms.keys.channels, rooms.webhooks):
        stack.push_async_callback(room.close)
    stack.callback(rooms.hashing.close)
    for person in people().values():
        await rooms.people.add(person, SYSTEM, utc_now())
    return Whole(web_app(settings, rooms, {}, rooms.keys.routes()), rooms, portal)


def filled(path: str, **values: str) -> str:
    """Put values into a route's path; what nobody names is `x`."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: quote(values.get(found[1], "x"), safe=""), path)
