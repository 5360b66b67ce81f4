"""A city, a gateway and a browser: what the journeys happen in. The gateway is a process of its own, the browser is Chromium.

People have passwords, mail goes in by SMTP, letters are taken from the next hop, and everything else happens on pages. Nothing
sleeps: Playwright waits for what it looks for, and `wait_for` for what happens behind the pages.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Literal, TypedDict

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from gateway.cli.person_words import grants_of
from gateway.clock import utc_now
from gateway.config.sign_in_settings import SignIn
from gateway.links import Links
from gateway.people.contract import Person
from gateway.people.passwords import Hashing
from gateway.people.sql import SqlPeople
from gateway.spool.sql import open_spool
from gateway.spool.values import SYSTEM
from gateway.store.keys import MasterKey
from tests.process import Gateway, NextHop, wait_for

OFFICE = "office@sports.example.jp"
BOSS, DEPUTY, PROXY = "boss@sports.example.jp", "deputy@sports.example.jp", "proxy@sports.example.jp"
PRIVACY = "privacy@city.example.lg.jp"
CITIZENS = tuple(f"citizen{number:02d}@example.com" for number in range(1, 31))
PASSWORD = "kaki-kuu-kyaku-da"
PEOPLE = {
    "office": ("佐藤 花子", OFFICE, ("sender@sports",)),
    "boss": ("鈴木 一郎", BOSS, ("approver",)),
    "deputy": ("高橋 次郎", DEPUTY, ("approver",)),
    "proxy": ("田中 代理", PROXY, ("approver",)),
    "admin": ("山本 管理", "admin@city.example.lg.jp", ("admin",)),
    "auditor": ("中村 監査", "audit@city.example.lg.jp", ("auditor",)),
    "city": ("小林 区役所", PRIVACY, ("ordering-body@sports",)),
}
POLICY = f"""\
version: 1
organisation: {{name: 目黒区, internal: [city.example.lg.jp, sports.example.jp]}}
groups:
  sports:
    senders: ["@sports.example.jp"]
    approvers: [{BOSS}, {DEPUTY}]
    report_to: [{PRIVACY}]
rules:
  - id: hide-recipients
    reason: {{ja: 外部の宛先が2件以上見えます, en: two or more external recipients are visible}}
    when: {{visible_external: {{at_least: 2}}}}
    then: {{recipients: bcc}}
  - id: cancel-window
    reason: {{ja: 外部への送信です, en: mail going outside}}
    when: {{external: {{at_least: 1}}}}
    then: {{hold: 30m, notify: [sender]}}
  - id: tick-names
    reason: {{ja: 名簿が添付されています, en: a list of names is attached}}
    when: {{subject: {{contains: 名簿}}}}
    then: {{confirm: {{items: both, within: 4h, otherwise: cancel}}}}
  - id: holiday-season
    reason: {{ja: 所長の承認が必要です, en: the manager has to approve}}
    when: {{subject: {{contains: 所長確認}}}}
    then: {{approve: {{by: [{BOSS}], escalate: {{to: [{PROXY}], after: 2h}}, within: 4h, otherwise: cancel}}}}
  - id: bulk-needs-another
    reason: {{ja: 外部の宛先が20件以上です, en: twenty or more external recipients}}
    when: {{sender_in: sports, external: {{at_least: 20}}}}
    then: {{approve: {{by: approvers, at_least: 1, within: 4h, otherwise: cancel}}}}
"""
PHONE, WIDE = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)
Theme = Literal["light", "dark"]


class Shape(TypedDict, total=False):
    """How a browser looks at a page."""

    viewport: ViewportSize
    has_touch: bool
    is_mobile: bool
    device_scale_factor: float


SHAPES: dict[str, Shape] = {
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2},
    "wide": {"viewport": WIDE},
}


@dataclass
class World:
    """What a journey works with. `states` are cookies of who signed in before, by login."""

    gateway: Gateway
    hop: NextHop
    browser: Browser
    states: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.web_port}"

    @contextmanager
    def page(
        self, shape: str = "wide", language: str = "ja", theme: Theme = "light", *, scripts: bool = True
    ) -> Iterator[Page]:
        """Open a page in a browser of its own: no cookies, this size, these wishes."""
        context = self.browser.new_context(
            **SHAPES[shape],
            color_scheme=theme,
            locale={"ja": "ja-JP", "en": "en-GB"}[language],
            java_script_enabled=scripts,
            accept_downloads=True,
            base_url=self.url,
        )
        context.set_default_timeout(15_000)
        try:
            yield _careful(context)
        finally:
            context.close()

    def sign_in(self, page: Page, login: str, password: str = PASSWORD) -> None:
        """Sign in by the form."""
        page.goto("/sign-in")
        page.get_by_label(_words("ログイン名", "Login")).fill(login)
        page.get_by_label(_words("パスワード", "Password")).fill(password)
        page.get_by_role("button", name=_words("ログイン", "Sign in")).click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def send(
        self, recipients: Sequence[str], subject: str, *, sender: str = OFFICE, files: Sequence[str] = ()
    ) -> None:
        """Hand a mail in."""
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = (
            f"体育館 <{sender}>",
            ", ".join(recipients),
            subject,
        )
        message.set_content("お世話になっております。ご案内をお送りします。\n")
        for name in files:
            message.add_attachment(b"%PDF-1.4\n", maintype="application", subtype="pdf", filename=name)
        with smtplib.SMTP("127.0.0.1", self.gateway.smtp_port) as client:
            client.sendmail(sender, list(recipients), message.as_bytes())

    def letter(self, to: str, *parts: str) -> str:
        """Wait for a letter that the gateway wrote to somebody; its text holds all of these."""

        def found() -> str | None:
            for taken in list(self.hop.taken):
                if to in taken.recipients and taken.sender in ("", None):
                    text = _text(taken.raw)
                    if all(part in text for part in parts):
                        return text
            return None

        return str(wait_for(found, f"a letter to {to} with {parts}"))

    def letters_to(self, to: str) -> list[str]:
        """Return the texts of all letters that the gateway has written to somebody so far."""
        mails = [taken for taken in list(self.hop.taken) if to in taken.recipients and not taken.sender]
        return [_text(taken.raw) for taken in mails]

    def link(self, letter: str, kind: str) -> str:
        """Return the address in a letter whose path begins with this letter: m, a, i."""
        address = re.search(rf"{re.escape(self.url)}/{kind}/[\w.~-]+", letter)
        assert address, letter
        return address[0]

    @property
    def links(self) -> Links:
        """Make the links that only letters hold, with the gateway's own key."""
        key = MasterKey.load(self.gateway.folder / "var" / "master.key")
        return Links(key.derived("links"), self.url, timedelta(days=7))

    def delivered(self, subject: str) -> list[str]:
        """Return who got a mail of a sender with this subject."""
        mails = [taken for taken in list(self.hop.taken) if taken.sender]
        return sorted(to for taken in mails if subject in _subject(taken.raw) for to in taken.recipients)


def _careful(context: BrowserContext) -> Page:
    """Return a page on which an error of a script, or a block by the content policy, fails the test."""
    page = context.new_page()

    def complain(text: str) -> None:
        raise AssertionError(text)

    page.on("pageerror", lambda error: complain(str(error)))
    page.on("console", lambda said: complain(said.text) if "Content Security Policy" in said.text else None)
    return page


def _words(ja: str, en: str) -> re.Pattern[str]:
    return re.compile(rf"^({ja}|{en})")  # a label goes on with what it says of the field


def _text(raw: bytes) -> str:
    parsed = message_from_bytes(raw, _class=EmailMessage, policy=default)
    part = parsed.get_body(("plain",))
    return f"{parsed['Subject']}\n{part.get_content() if part is not None else ''}"


def _subject(raw: bytes) -> str:
    return str(message_from_bytes(raw, _class=EmailMessage, policy=default)["Subject"])


def prepare(gateway: Gateway) -> None:
    """Write settings and policy, and add the people with their passwords; before the process starts, and any browser."""
    gateway.extra += "sign_in: {totp_required: []}\npolicies: policies\n"
    gateway.write()
    (gateway.folder / "policies" / "default.yaml").write_text(POLICY, encoding="utf-8")
    (gateway.folder / "var").mkdir(mode=0o700)
    asyncio.run(_add_people(gateway.folder / "var"))


async def _add_people(state: Path) -> None:
    spool, hashing = open_spool(state, MasterKey.create(state / "master.key")), Hashing()
    people = SqlPeople(spool.database, hashing, SignIn())
    for login, (name, address, roles) in PEOPLE.items():
        await people.add(Person(login, name, (address,), grants_of(roles)), SYSTEM, utc_now())
        await people.own.set_password(login, PASSWORD, SYSTEM, utc_now())
    hashing.close()
    await spool.close()
