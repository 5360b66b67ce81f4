"""ORIGINAL copies: every octet stays but for what is stated."""

from __future__ import annotations

import pytest

from gateway.policy.demands import Form
from tests.transform.sample import copy_of, decision, envelope, mail

SENT = envelope("chief@city.example.lg.jp")
RECEIVED = b"Received: from pc12.sports.example.jp ([192.0.2.7])\r\n\tby gate.example.jp (Sekisho) with ESMTP id Q7F3A;\r\n"
STAMP = b"\tWed, 01 Apr 2026 09:30:00 +0000\r\n"
KNOWN = ("Date: Tue, 31 Mar 2026 00:00:00 +0900", "Message-ID: <a@b.example>")


def test_only_received_is_added() -> None:
    raw = mail(*KNOWN, "To : ana@one.example.com;\r\n\tben@two.example.net", "no field here", "X-Odd:\t\xe9 ")
    assert copy_of(raw, SENT, decision(Form.ORIGINAL)) == RECEIVED + STAMP + raw


@pytest.mark.parametrize("name", ["Bcc", "BCC ", "Resent-Bcc", "Return-Path"])
def test_blind_copies_never_leave(name: str) -> None:
    rest = mail(*KNOWN, "To: ana@one.example.com")
    raw = f"{name}: <ben@two.example.net>,\r\n carl@three.example.org\r\n".encode() + rest
    assert copy_of(raw, SENT, decision(Form.ORIGINAL)) == RECEIVED + STAMP + rest


@pytest.mark.parametrize("form", list(Form))
def test_tags_replace_what_the_peer_wrote(form: Form) -> None:
    raw = mail(*KNOWN, "X-Checked: yes, really", "x-checked : again", "Subject: a")
    decided = decision(form, tags=[("X-Checked", "外部"), ("X-Level", "2")])
    header = copy_of(raw, SENT, decided).partition(b"\r\n\r\n")[0]
    assert header.lower().count(b"x-checked") == 1
    assert b"X-Checked: =?utf-8?b?5aSW6YOo?=\r\n" in header
    assert b"X-Level: 2\r\n" in header


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\r\nbody\r\n", b"Subject: x\r\n", b"Subject: x", b" x\r\nSubject: y\r\n\r\nz"]
)
def test_degenerate_mails_get_a_header_section_that_ends(form: Form, raw: bytes) -> None:
    copy = copy_of(raw, SENT, decision(form))
    header, end, body = copy.partition(b"\r\n\r\n")
    assert end
    assert b"Received: " in header
    assert (
        body == raw.partition(b"\r\n\r\n")[2]
        if b"\r\n\r\n" in raw
        else raw.removeprefix(b"\r\n").endswith(body)
    )


def test_what_stands_before_the_first_field_does_not_become_part_of_ours() -> None:
    copy = copy_of(b" Bcc: x\r\nSubject: y\r\n\r\nz", SENT, decision(Form.ORIGINAL))
    assert STAMP + b"Date" in copy
    assert copy.index(b" Bcc: x") < copy.index(b"Received")
