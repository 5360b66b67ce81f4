"""The invariant, on every mail of the corpus: nobody outside sees anybody else outside, and nothing else changes."""

from __future__ import annotations

import re

import pytest

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.demands import Form
from gateway.transform.render import Copy, render
from gateway.transform.view import view_of
from tests.transform.injected import OUTSIDERS, inject
from tests.transform.leaks import addresses, fields, leaks
from tests.transform.sample import INTERNAL, SENDER, decision, envelope, mail, original

COUNT = len(OUTSIDERS)
SENT = envelope(*OUTSIDERS)
OURS = {"received", "date", "message-id", "to"}
REWRITTEN = {"from", "sender", "subject", "content-type", "content-disposition", "content-description"}

# Fields whose business is other addresses and ids; only hidden addresses may not stand there.
STRUCTURE = {
    "from", "sender", "subject", "date", "message-id", "in-reply-to", "references", "mime-version", "received",
    "dkim-signature", "authentication-results",
}  # fmt: skip
PREFIXES = ("content-", "arc-", "list-")


def copy_for(index: int, raw: bytes, sent: Envelope, decided: Decision) -> Copy:
    return render(original(raw, sent, decided), view_of(decided, index, sent.recipients[index]))


def changed(raw: bytes, copy: Copy) -> set[str]:
    """Return the names of fields that are new in the copy; what is not new is in order, and the body is the same."""
    head, empty, body = raw.partition(b"\r\n\r\n")
    assert bytes(copy.body) == body
    assert copy.header.endswith(empty)
    before = [octets for _, octets in fields(head + b"\r\n\r\n")]
    after = fields(copy.header)
    stayed = [octets for name, octets in after if octets in before and name != "to"]
    assert stayed == [octets for octets in before if octets in set(stayed)]
    return {name for name, octets in after if octets not in before}


def is_inside(address: str) -> bool:
    domain = address.rpartition("@")[2]
    return domain in INTERNAL or domain.endswith(".city.example.lg.jp")


def strangers(header: bytes, own: set[str]) -> list[tuple[str, set[str]]]:
    """Return fields that name an outsider although they have no business with addresses."""
    found = [
        (name, {each for each in addresses(raw) if not is_inside(each)} - own)
        for name, raw in fields(header)
        if name not in STRUCTURE and not name.startswith(PREFIXES)
    ]
    return [each for each in found if each[1]]


def authors(raw: bytes) -> set[str]:
    """Return every address in From: a generous reading of whose mail it is."""
    header = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return {each for name, octets in fields(header) if name == "from" for each in addresses(octets)} | {
        SENDER
    }


@pytest.mark.corpus
def test_thirty_outsiders_in_bcc(corpus: list[tuple[str, bytes]]) -> None:
    for number, (name, raw) in enumerate(corpus):
        decided = decision(Form.BCC, count=COUNT, to_group="受講者各位" if number % 2 else None)
        mutated = inject(raw)
        copy = copy_for(0, mutated, SENT, decided)
        assert leaks(copy.header, OUTSIDERS) == [], name
        assert strangers(copy.header, authors(raw)) == [], name
        assert changed(mutated, copy) <= OURS | REWRITTEN, name


@pytest.mark.corpus
def test_thirty_outsiders_one_by_one(corpus: list[tuple[str, bytes]]) -> None:
    decided = decision(Form.INDIVIDUAL, count=COUNT)
    for number, (name, raw) in enumerate(corpus):
        own = OUTSIDERS[number % COUNT]
        mutated = inject(raw)
        copy = copy_for(number % COUNT, mutated, SENT, decided)
        assert leaks(copy.header, [person for person in OUTSIDERS if person != own]) == [], name
        assert strangers(copy.header, authors(raw) | {own}) == [], name
        assert [own in octets.decode() for field, octets in fields(copy.header) if field == "to"] == [True], (
            name
        )
        assert changed(mutated, copy) <= OURS | REWRITTEN, name


@pytest.mark.corpus
def test_original_copies_change_nothing(corpus: list[tuple[str, bytes]]) -> None:
    for name, raw in corpus:
        mutated = inject(raw)
        assert changed(mutated, copy_for(0, mutated, SENT, decision(Form.ORIGINAL, count=COUNT))) <= OURS - {
            "to"
        }, name


@pytest.mark.corpus
def test_the_people_the_corpus_mail_itself_names(corpus: list[tuple[str, bytes]]) -> None:
    sent = envelope("only@one.example.com")
    for name, raw in corpus:
        copy = copy_for(0, raw, sent, decision(Form.BCC))
        assert strangers(copy.header, authors(raw)) == [], name


@pytest.mark.corpus
def test_fields_without_any_address_always_stay(corpus: list[tuple[str, bytes]]) -> None:
    decided = decision(Form.BCC, count=COUNT)
    named = {"to", "cc", "bcc", "return-path", "content-length"}
    for name, raw in corpus:
        header = copy_for(0, raw, SENT, decided).header
        head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
        plain = [
            octets
            for each, octets in fields(head)
            if each not in named and octets.isascii() and _is_plain(octets)
        ]
        missing = [octets for octets in plain if octets not in header]
        assert [octets for octets in missing if b"-to:" not in octets.lower().partition(b" ")[0]] == [], name


def _is_plain(octets: bytes) -> bool:
    """Tell whether this is a field (RFC 5322 2.2) that can hold no address in any reading."""
    return re.match(rb"[!-9;-~]+:", octets) is not None and not any(mark in octets for mark in b"@=%&\x1b")


def test_the_checker_finds_what_is_there() -> None:
    raw = inject(mail("From: office@sports.example.jp", "Subject: x"))
    header = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert {address for address, _ in leaks(header, OUTSIDERS)} == set(OUTSIDERS) - {OUTSIDERS[14]} | {
        OUTSIDERS[14]
    }
    assert strangers(header, {SENDER})
