"""The To field that is written new."""

from __future__ import annotations

import pytest

from gateway.message.address import Address
from gateway.policy.demands import Form
from gateway.transform.to_line import group, mailbox
from tests.transform.leaks import fields
from tests.transform.sample import SENDER, decision, envelope, header_of, mail

ANA, BEN, CARL = "ana@one.example.com", "ben@two.example.net", "carl@three.example.org"
CHIEF = "chief@city.example.lg.jp"
RAW = mail(f"From: 事務局 <{SENDER}>", f"To: {ANA}, 課長 <{CHIEF}>", f"Cc: {BEN}", "Subject: x")


def to_of(form: Form, sent_from: str | None = SENDER, raw: bytes = RAW, **options: object) -> bytes:
    sent = envelope(ANA, BEN, CARL, sender=sent_from)
    header = header_of(raw, sent, decision(form, count=3, **options))  # type: ignore[arg-type]
    (line,) = [octets for name, octets in fields(header) if name == "to"]
    return line.removeprefix(b"To: ").removesuffix(b"\r\n")


@pytest.mark.parametrize(
    ("form", "options", "expected"),
    [
        (Form.BCC, {}, f"{SENDER},\r\n {CHIEF}"),
        (Form.BCC, {"hide_internal": True}, SENDER),
        (Form.BCC, {"hide_internal": True, "to_group": "members"}, "members:;"),
        (Form.BCC, {"to_group": "受講者"}, f"=?utf-8?b?5Y+X6Kyb6ICF?=:;,\r\n {CHIEF}"),
        (Form.BCC, {"companions": [BEN], "hide_internal": True}, f"{SENDER},\r\n {BEN}"),
        (
            Form.BCC,
            {"companions": [CARL], "hide_internal": True},
            SENDER,
        ),  # was not visible, so is not shown now
        (Form.INDIVIDUAL, {}, f"{ANA},\r\n {CHIEF}"),
        (Form.INDIVIDUAL, {"hide_internal": True}, ANA),
        (Form.INDIVIDUAL, {"companions": [ANA, BEN], "hide_internal": True}, f"{ANA},\r\n {BEN}"),
        (Form.INDIVIDUAL, {"to_group": "members", "hide_internal": True}, ANA),
        (Form.BCC, {"sent_from": None, "hide_internal": True}, "undisclosed-recipients:;"),
    ],
)
def test_who_is_named(form: Form, options: dict[str, object], expected: str) -> None:
    assert to_of(form, **options) == expected.encode()  # type: ignore[arg-type]


def test_from_that_is_not_read_with_confidence_gives_way_to_the_reverse_path() -> None:
    raw = mail("From: someone@new.example.com; <broken", f"To: {ANA}")
    assert to_of(Form.BCC, raw=raw) == SENDER.encode()


def test_to_stands_where_it_stood() -> None:
    header = header_of(
        mail("A: 1", f"To: {ANA}", "B: 2", f"To: {BEN}", "C: 3"), envelope(ANA, BEN), decision(count=2)
    )
    assert [name for name, _ in fields(header)][-4:] == ["a", "to", "b", "c"]


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("members", b"members:;"),
        ("Tennis class (Mon)", b'"Tennis class (Mon)":;'),
        ('a "b" \\', b'"a \\"b\\" \\\\":;'),
        ("a\r\nBcc: x", b'"a  Bcc: x":;'),
        (" \r\n", b"undisclosed-recipients:;"),
    ],
)
def test_groups(name: str, octets: bytes) -> None:
    assert group(name) == octets


@pytest.mark.parametrize(
    ("address", "smtputf8", "octets"),
    [
        (Address("a.b", "x.example"), False, b"a.b@x.example"),
        (Address("foo..bar", "x.example"), False, b'"foo..bar"@x.example'),
        (Address('"a b"', "x.example"), False, b'"a b"@x.example'),
        (Address("a,b", "x.example"), False, b'"a,b"@x.example'),
        (Address("太郎", "x.example"), False, None),
        (Address("太郎", "x.example"), True, "太郎@x.example".encode()),
        (Address("a\r\nb", "x.example"), True, None),
    ],
)
def test_mailboxes(address: Address, smtputf8: bool, octets: bytes | None) -> None:
    assert mailbox(address, smtputf8) == octets
