"""Hypothesis strategies: mails in a small world in which everything meets everything, and what was looked up for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import (
    PASSWORD_OF,
    Content,
    Earlier,
    Evidence,
    FileEvidence,
    Findings,
    Halves,
    Volume,
)
from gateway.message.facts import Attachment, Facts
from gateway.message.header import split

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
# Around the end of a year: a weekend, public holidays and days on which the calendars below are closed.
TIMES = st.datetimes(datetime(2026, 12, 21), datetime(2027, 1, 15), timezones=st.just(UTC))  # noqa: DTZ001
CLIENT = Client(ip="192.0.2.1")

INTERNAL = ("a@city.example.lg.jp", "b@sub.city.example.lg.jp")
EXTERNAL = ("p@example.com", "q@example.com", "r@example.net", "s@deep.example.net", "t@example.org")
DOMAINS = ("example.com", "example.net", "deep.example.net", "example.org")


def address(text: str, ambiguous: bool = False) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain, ambiguous)


def addresses() -> st.SearchStrategy[Address]:
    return st.builds(
        address, st.sampled_from(INTERNAL + EXTERNAL), st.sampled_from([False, False, False, True])
    )


def facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        _facts,
        sender=st.none() | addresses(),
        recipients=st.lists(addresses(), max_size=6, unique_by=lambda a: a.key),
        visible=st.lists(addresses(), max_size=6, unique_by=lambda a: a.key),
        confident=st.booleans(),
        authors=st.lists(addresses(), max_size=2),
        subject=st.sampled_from(["", "通知", "confidential 通知", "第12号"]),
        attachments=st.lists(_attachments(), max_size=3),
        size=st.integers(0, 3),
        unclear=st.sampled_from([frozenset(), frozenset({"boundary"})]),
        evidence=_evidence(),
        answers=st.booleans(),
        account=st.sampled_from([None, "clerk"]),
    )


def _evidence() -> st.SearchStrategy[Evidence]:
    states = st.dictionaries(st.sampled_from(DOMAINS), st.sampled_from(["accepts", "missing", "unknown"]))
    alike = st.dictionaries(st.sampled_from(DOMAINS), st.just("example.co.jp"))
    keys = st.sampled_from(EXTERNAL)
    counts = st.integers(0, 4)
    writers = st.lists(st.sampled_from(["", *INTERNAL]), max_size=3).map(tuple)
    return st.builds(
        Evidence,
        writers=st.none() | st.dictionaries(keys, writers, max_size=5),
        volume=st.none() | st.builds(Volume, counts, counts, counts, counts),
        replies=st.none() | st.booleans(),
        earlier=st.none() | st.builds(Earlier, st.frozensets(keys)),
        content=st.none() | _content(),
        domains=st.none() | states,
        look_alikes=st.none() | alike,
        halves=st.none() | _halves(),
    )


def _halves() -> st.SearchStrategy[Halves]:
    ago = st.none() | st.sampled_from([60, 7200, 200_000])
    return st.builds(Halves, ago, ago, ago)


def _content() -> st.SearchStrategy[Content]:
    found = st.builds(
        Findings,
        person=st.integers(0, 2),
        card=st.integers(0, 1),
        card_possible=st.integers(0, 1),
        my_number=st.integers(0, 1),
        phone=st.integers(0, 1),
        password=st.integers(0, 1),
    )
    unread = st.sampled_from(["", "", "encrypted", "damaged"])
    file = st.builds(
        FileEvidence,
        kind=st.sampled_from(["", "exe", "zip"]),
        encrypted=st.sampled_from([None, False, True]),
        macros=st.sampled_from([None, False, True]),
        members=st.sampled_from([(), ("a.exe",)]),
        complete=st.booleans(),
        unread=unread,
        found=found,
        key_told=st.sampled_from([None, False, True]),
    )
    return st.builds(
        Content,
        body=found,
        body_unread=unread,
        files=st.lists(file, max_size=3).map(tuple),
        mail_is=st.sampled_from([frozenset(), frozenset({"calendar"})]),
        invited=st.lists(addresses(), max_size=2).map(tuple),
        speaks_of_attachment=st.booleans(),
        greets_other=st.sampled_from([None, False, True]),
        password_of=st.none() | st.sampled_from(PASSWORD_OF),
        password_follows=st.sampled_from([None, False, True]),
        texts=st.dictionaries(st.sampled_from(["body", "attachments"]), st.just(("通知 第12号",))),
        cut=st.sampled_from([frozenset(), frozenset({"body"})]),
    )


def _facts(**given: Any) -> Facts:
    answers = b"In-Reply-To: <earlier@example.jp>\r\n" if given["answers"] else b""
    evidence: Evidence = given["evidence"]
    if evidence.replies is not None:  # as it is looked up: whoever knows it has it from the header section
        evidence = replace(evidence, replies=given["answers"])
    if not given["answers"]:
        evidence = replace(evidence, earlier=None)
    header, _ = split(answers + b"X-Mailer: batch\r\nX-Mailer: =?utf-8?q?other?=\r\n\r\n")
    return Facts(
        envelope=Envelope(
            given["sender"], tuple(given["recipients"]), replace(CLIENT, account=given["account"])
        ),
        header=header,
        visible=tuple(given["visible"]),
        confident=given["confident"],
        authors=tuple(given["authors"]),
        subject=given["subject"],
        attachments=tuple(given["attachments"]),
        size_bytes=given["size"],
        unclear=given["unclear"],
        evidence=evidence,
    )


def _attachments() -> st.SearchStrategy[Attachment]:
    return st.builds(
        Attachment,
        name=st.sampled_from(["", "a.exe", "名簿.xlsx"]),
        size_bytes=st.integers(0, 3),
        content_type=st.just("application/octet-stream"),
    )
