"""A file and its password by one way, with nothing in between replaced: octets in, read by the process that reads, decided."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from gateway.config.settings import Content as Settings
from gateway.evidence.content.reader import Reader
from gateway.message.address import Address, parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.handling import Seen
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.protection import Way
from gateway.policy.replay import tried
from gateway.protect.archive import zip_aes256
from gateway.protect.file import File
from gateway.receive.intake import Intake
from gateway.receive.looking_up import LookingUp
from gateway.receive.protecting import Protecting
from gateway.receive.sources import Sources
from gateway.sealing.looking import seen_in
from gateway.spool.mail_json import facts_json, facts_of
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Stored
from gateway.store.keys import MasterKey
from tests.protect.sample import AT, entropy
from tests.spool.mails import T0

RULES = """
version: 1
organisation: {name: x, internal: [example.jp]}
rules:
  - {id: ppap, reason: why, when: {ppap: any}, then: {confirm: both, notify: sender}}
"""
KEY = "Kx8-22mQ"
SEALED = b"".join(zip_aes256([File.of("名簿.csv", b"x" * 99)], KEY, at=AT, entropy=entropy()))
PASSWORD = f"先ほどのファイルのPWです。\n\n　{KEY}\n"


PROTECT = "  - {id: protect, reason: why, when: {external: {at_least: 1}}, then: {attachments: native}}\n"


class EveryWay:
    """A gateway whose senders tell keys by telephone."""

    async def of(self, recipients: Sequence[Address]) -> Sequence[frozenset[Way]]:
        return [frozenset({Way.SENDER})] * len(recipients)


async def look(raw: bytes) -> Seen:
    return seen_in(raw)


class Gateway:
    """An intake on a store, with a reader of its own."""

    def __init__(self, spool: SqlSpool, reader: Reader, rules: str = RULES) -> None:
        self.policy = load_policy({"p.yaml": rules})
        self.now = T0
        sources = Sources(spool.knowledge, content=reader.read)
        looking_up = LookingUp(sources, lambda: self.now, timedelta(seconds=20))
        self.latest: Facts
        self._intake = Intake(
            spool,
            lambda: self.policy,
            self._decide,
            gather,
            lambda: self.now,
            looking_up=looking_up,
            protecting=Protecting(look, EveryWay()),
        )
        self.spool, self.reader = spool, reader

    def _decide(self, facts: Facts, policy: Policy, now: datetime) -> Decision:
        self.latest = facts
        return decide(facts, policy, now)

    async def send(
        self, text: str, *files: bytes, subject: str = "資料", to: str = "ana@example.com"
    ) -> Stored:
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = "clerk@example.jp", to, subject
        made.set_content(text)
        for octets in files:
            made.add_attachment(octets, maintype="application", subtype="zip", filename="名簿.zip")
        envelope = Envelope(parse_path("clerk@example.jp"), (parse_path(to),), Client("192.0.2.1"))
        reply = await self._intake.submit(envelope, made.as_bytes(policy=SMTP))
        self.now += timedelta(minutes=10)
        return await self.spool.get(reply.text.split()[0])


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    spool = open_spool(tmp_path, MasterKey(bytes(range(32))), serve=True, clock=lambda: T0)
    reader = Reader(Settings())
    yield Gateway(spool, reader)
    await reader.close()
    await spool.close()


def rules(stored: Stored) -> list[str]:
    return [reason.rule for reason in stored.decision.reasons]


async def test_in_one_mail(gateway: Gateway) -> None:
    assert rules(await gateway.send(f"添付のパスワードは以下です。\n{KEY}", SEALED)) == ["ppap"]
    assert rules(await gateway.send(f"Zoom ID: 1 パスコード: {KEY}", SEALED, to="eve@example.net")) == [
        "ppap"
    ]
    other = await gateway.send("Zoom ID: 1 パスコード: Ab12345", SEALED, to="bob@example.net")
    assert rules(other) == []


async def test_in_two_mails(gateway: Gateway) -> None:
    assert rules(await gateway.send("資料をお送りします。パスワードは別メールでお送りします。", SEALED)) == []
    assert rules(await gateway.send("Zoom ミーティングID: 812 3456\nパスコード: 8Xy2Qz")) == []
    assert rules(await gateway.send("お電話でパスワードをお伝えした件、よろしくお願いします。")) == []
    assert rules(await gateway.send(PASSWORD, subject="パスワードのご連絡")) == ["ppap"]
    assert rules(await gateway.send(PASSWORD, to="eve@example.net")) == []
    assert rules(await gateway.send("資料です", SEALED, to="eve@example.net")) == ["ppap"]


async def test_what_is_recorded_says_it_again_and_holds_no_password(gateway: Gateway) -> None:
    await gateway.send("資料です", SEALED)
    stored = await gateway.send(PASSWORD)
    facts = replace(
        gather(stored.envelope, b"From: clerk@example.jp\r\n\r\n"), evidence=gateway.latest.evidence
    )
    record = facts_json(facts)
    assert record is not None
    assert KEY not in record
    again = facts_of(record, stored.envelope, "", 1)
    assert again.evidence.halves == gateway.latest.evidence.halves
    assert [reason.rule for reason in tried(again, gateway.policy, T0).decision.reasons] == ["ppap"]


async def test_the_key_of_what_the_gateway_sealed_does_not_follow_by_mail(gateway: Gateway) -> None:
    """Who is to tell a key by telephone, and mails it, is asked about it like anybody else."""
    spool = gateway.spool
    protecting = Gateway(spool, gateway.reader, RULES + PROTECT)
    sent = await protecting.send("資料です", b"a,b\r\n")
    assert rules(sent) == ["protect"]
    assert sent.decision.outcomes[0].handling is not None
    assert rules(await protecting.send("鍵です。パスワードは mikan-tanuki-yuzu です")) == ["ppap", "protect"]
    assert rules(await protecting.send("お電話します")) == ["protect"]
