"""The fields a relay adds."""

from __future__ import annotations

import pytest

from gateway.message.envelope import Client
from gateway.policy.demands import Form
from gateway.transform.trace import added_fields
from tests.transform.sample import HOST, QUEUE_ID, WHEN, copy_of, decision, envelope, mail


def received(client: Client, *, smtputf8: bool = False) -> str:
    sent = envelope("ana@one.example.com", client=client, smtputf8=smtputf8)
    return added_fields(sent, QUEUE_ID, WHEN, HOST).received.decode("ascii")


def test_received_in_full() -> None:
    assert received(Client("192.0.2.7", "pc12.example.jp")) == (
        "Received: from pc12.example.jp ([192.0.2.7])\r\n"
        "\tby gate.example.jp (Sekisho) with ESMTP id Q7F3A;\r\n"
        "\tWed, 01 Apr 2026 09:30:00 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("tls", "account", "smtputf8", "keyword"),
    [
        (False, None, False, "ESMTP"),
        (True, None, False, "ESMTPS"),
        (False, "a", False, "ESMTPA"),
        (True, "a", False, "ESMTPSA"),
        (False, None, True, "UTF8SMTP"),
        (True, "a", True, "UTF8SMTPSA"),
    ],
)
def test_with_keyword(tls: bool, account: str | None, smtputf8: bool, keyword: str) -> None:
    text = received(Client("192.0.2.7", "pc", account=account, tls=tls), smtputf8=smtputf8)
    assert f" with {keyword} id " in text


def test_there_is_never_a_for_clause_nor_a_recipient() -> None:
    text = received(Client("192.0.2.7", "pc"))
    assert " for " not in text
    assert "ana" not in text


@pytest.mark.parametrize(
    ("helo", "shown"),
    [
        ("", "unknown"),
        ("[192.0.2.7]", "[192.0.2.7]"),
        ("x) by evil (y", "x??by?evil??y"),
        ("x\r\nBcc: ana@one.example.com", "x??Bcc:?ana?one.example.com"),
        ("名前", "??"),
    ],
)
def test_a_helo_name_can_open_nothing(helo: str, shown: str) -> None:
    assert received(Client("192.0.2.7", helo)).startswith(f"Received: from {shown} (")


def test_a_long_helo_name_is_cut() -> None:
    assert len(received(Client("192.0.2.7", "x" * 5000)).splitlines()[0]) < 998


@pytest.mark.parametrize(
    ("ip", "shown"),
    [
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
        ("", "unknown"),
        ("socket", "unknown"),
    ],
)
def test_the_peer_address(ip: str, shown: str) -> None:
    assert f"({shown})" in received(Client(ip, "pc"))


@pytest.mark.parametrize("form", list(Form))
def test_date_and_message_id_are_added_only_where_missing(form: Form) -> None:
    sent = envelope("ana@one.example.com")
    bare = copy_of(mail("Subject: x"), sent, decision(form))
    assert bare.count(b"Date: Wed, 01 Apr 2026 09:30:00 +0000\r\n") == 1
    assert bare.count(b"Message-ID: <Q7F3A@gate.example.jp>\r\n") == 1
    whole = copy_of(
        mail("DATE : Tue, 31 Mar 2026 00:00:00 +0900", "message-id: <a@b.example>"), sent, decision(form)
    )
    assert b"Date: Wed" not in whole
    assert b"Q7F3A@" not in whole


def test_deterministic() -> None:
    sent = envelope("ana@one.example.com")
    assert added_fields(sent, QUEUE_ID, WHEN, HOST) == added_fields(sent, QUEUE_ID, WHEN, HOST)
