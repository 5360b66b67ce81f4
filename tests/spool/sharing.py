"""Mails with files behind links, for the tests of the spool and of the download page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Language
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Way
from gateway.spool.notice import NoticeKind
from gateway.spool.share_contract import Visitor
from gateway.spool.sql import SqlSpool
from gateway.spool.values import NewMessage
from gateway.store.database import event_seal
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.spool.mails import LEASE, SENDER, T0, delivered

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LISTED = "名簿 2026.pdf"
PLAN = b"%PDF-1.7 plan\n" * 100
TEXT = "会場の地図\n".encode()
VISITOR = Visitor("192.0.2.7", "visit-1")

WITH_FILES = b"\r\n".join(
    [
        b"From: <clerk@sports.example.jp>",
        b"To: r0@example.com",
        b"Subject: files",
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="b1"',
        b"",
        b"--b1",
        b"Content-Type: text/plain; charset=utf-8",
        b"",
        b"Please find them attached.",
        b"--b1",
        b"Content-Type: application/pdf",
        b"Content-Disposition: attachment; filename*=utf-8''%E5%90%8D%E7%B0%BF%202026.pdf",
        b"Content-Transfer-Encoding: 8bit",
        b"",
        PLAN.replace(b"\n", b"\r\n"),
        b"--b1",
        b"Content-Type: text/plain; charset=utf-8",
        b'Content-Disposition: attachment; filename="map.txt"',
        b"Content-Transfer-Encoding: base64",
        b"",
        b"5Lya5aC044Gu5Zyw5ZuzCg==",
        b"--b1--",
        b"",
    ]
)
FIRST, SECOND = 2, 3  # the places of its files
FILES = (
    Attached(FIRST, LISTED, "pdf", len(PLAN), "plain"),
    Attached(SECOND, "map.txt", "text", len(TEXT), "plain"),
)


def linked(
    recipients: int = 1,
    *,
    inside: int = 0,
    downloads: int = 0,
    expires: timedelta = 7 * DAY,
    needs_key: bool = False,
    way: Way | None = None,
    window: timedelta = timedelta(0),
    raw: bytes = WITH_FILES,
    files: tuple[Attached, ...] = FILES,
    at: datetime = T0,
    language: Language = Language.JA,
) -> NewMessage:
    """Return a mail whose first recipients find the files behind a link; those inside have them in the mail."""
    handling = Handling(
        rules=("links",),
        forms=tuple([(file.place, How.LINK) for file in files]),
        needs_key=needs_key,
        way=way,
        expires=expires,
        downloads=downloads,
    )
    outcomes = (
        Outcome(True, Demands(window=window), rules=("links",), handling=handling),
        Outcome(False, Demands()),
    )
    decision = Decision(
        digest="d1",
        outcomes=outcomes,
        assigned=(0,) * recipients + (1,) * inside,
        internal=("sports.example.jp",),
        files=files,
        language=language,
    )
    addresses = tuple(Address(f"r{index}", "example.com") for index in range(recipients + inside))
    envelope = Envelope(SENDER, addresses, Client("127.0.0.1", "pc", "clerk", True))
    return NewMessage(envelope, raw, decision, at, "資料のご送付")


def copied_to(mail: NewMessage) -> NewMessage:
    """Return the mail with its last recipient as a copy that a rule asked for."""
    return replace(mail, decision=replace(mail.decision, copied=1))


async def sent(spool: SqlSpool, mail: NewMessage, at: datetime = T0) -> str:
    """Accept a mail and deliver it to everybody; return its queue id."""
    queue_id = await spool.accept(mail)
    await deliver(spool, at)
    return queue_id


async def deliver(spool: SqlSpool, at: datetime = T0) -> None:
    """Deliver whatever is due."""
    for claim in await spool.claim(at, 1_000, LEASE):
        await spool.record(claim, [delivered(row.index) for row in claim.message.recipients], at)


async def ask(
    spool: SqlSpool, queue_id: str, recipient: int = 0, at: datetime = T0, visitor: Visitor = VISITOR
) -> str:
    """Ask for a code and return it, as the letter will tell it."""
    await spool.shares.ask_code(queue_id, recipient, visitor, at)
    waiting = [notice for notice in await spool.notices.pending(1_000) if notice.kind is NoticeKind.CODE]
    mine = [n for n in waiting if n.queue_id == queue_id and n.recipients == (recipient,)]
    code = spool.shares.code_of(mine[-1])
    assert code is not None
    assert re.fullmatch(r"[0-9]{8}", code)
    return code


async def opened(
    spool: SqlSpool, queue_id: str, recipient: int = 0, at: datetime = T0, visitor: Visitor = VISITOR
) -> Visitor:
    """Prove the address and return who may fetch."""
    code = await ask(spool, queue_id, recipient, at, visitor)
    assert await spool.shares.enter(queue_id, recipient, code, "", visitor, at)
    return visitor


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10**8:08d}"


def events(where: Where, queue_id: str, master: MasterKey) -> list[tuple[str, str, str]]:
    """Return kind, reason and recipients of a mail's events; the chain has to hold."""
    with EventLog(where) as log:
        found = log.query(Question(queue_id=queue_id))
        assert verify(log, event_seal(master)).intact
    return [(event.kind, event.reason, event.recipients) for event in found]
