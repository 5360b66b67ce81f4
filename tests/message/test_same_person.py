"""Nobody looks at a mail of their own under another spelling of their name."""

from __future__ import annotations

import pytest

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.same_person import is_among, senders_of


def senders(sender: str, account: str | None, author: str = "") -> frozenset[str]:
    envelope = Envelope(
        parse_path(sender) if sender else None,
        (parse_path("ana@example.com"),),
        Client("192.0.2.1", account=account),
    )
    return senders_of(envelope, [parse_path(author)] if author else [None])


@pytest.mark.parametrize(
    ("sender", "account", "author", "person"),
    [
        ("tanaka@sports.example.jp", None, "", "tanaka@sports.example.jp"),
        ("Tanaka@SPORTS.example.jp.", None, "", "tanaka@sports.example.jp"),
        ("tanaka+list@sports.example.jp", None, "", "tanaka@sports.example.jp"),
        ("tanaka@sports.example.jp", None, "", "tanaka+ok@sports.example.jp"),
        ("office@sports.example.jp", None, "tanaka+x@sports.example.jp", "tanaka@sports.example.jp"),
        ("office@sports.example.jp", "tanaka", "", "tanaka@sports.example.jp"),
        ("office@sports.example.jp", "Tanaka+laptop", "", "tanaka@sports.example.jp"),
        ("office@sports.example.jp", "Tanaka@sports.example.jp", "", "tanaka@sports.example.jp"),
        ("office@sports.example.jp", "tanaka@例え.jp", "", "tanaka@xn--r8jz45g.jp"),
        ("", "tanaka", "", "tanaka@sports.example.jp"),
    ],
)
def test_one_person(sender: str, account: str | None, author: str, person: str) -> None:
    assert is_among(parse_path(person).key, senders(sender, account, author))


@pytest.mark.parametrize(
    ("sender", "account", "person"),
    [
        ("tanaka@sports.example.jp", None, "suzuki@sports.example.jp"),
        ("tanaka@sports.example.jp", "tanaka@sports.example.jp", "tanaka@city.example.lg.jp"),
        ("tanaka@sports.example.jp", None, "tanaka2@sports.example.jp"),
        ("", None, "tanaka@sports.example.jp"),
        ("", "", "+x@sports.example.jp"),
        ("+a@sports.example.jp", "+", "+b@sports.example.jp"),
    ],
)
def test_two_people(sender: str, account: str | None, person: str) -> None:
    assert not is_among(parse_path(person).key, senders(sender, account))
