"""Composers with a fixed clock, and notices read back with the stdlib's parser."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.letter import Author
from gateway.spool.notice import Notice, NoticeKind
from tests.memory_spool import NOON, SENDER, MemorySpool

AUTHOR = Author("Sekisho 関所", "sekisho@mx.sports.example.jp", "mx.sports.example.jp")


@pytest.fixture(autouse=True)
def events() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; and no traceback is rendered, which takes longer than the test."""
    with capture_logs() as logged:
        yield logged


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool()


@pytest.fixture
def links() -> Links:
    return Links(b"x" * 32, "https://sekisho.example.jp", timedelta(days=7), lambda: NOON)


@pytest.fixture
def composers(links: Links) -> Composers:
    return Composers(links, ZoneInfo("Asia/Tokyo"), AUTHOR)


def notice(
    kind: NoticeKind = NoticeKind.HOLD,
    queue_id: str = "Q1",
    to: str = SENDER,
    recipients: tuple[int, ...] = (),
    notice_id: int = 7,
) -> Notice:
    return Notice(notice_id, kind, queue_id, to, recipients, NOON)


def read_back(octets: bytes | None) -> EmailMessage:
    """Parse strictly: whatever the parser has to complain about fails the test."""
    assert octets is not None
    assert b"\n" not in octets.replace(b"\r\n", b"")
    octets.decode("ascii")
    mail = message_from_bytes(octets, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    assert not [defect for field in mail.values() for defect in field.defects]
    return mail


def text(mail: EmailMessage, subtype: str = "plain") -> str:
    part = mail.get_body((subtype,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())
