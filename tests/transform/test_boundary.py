"""A boundary with an address in it cannot be hidden: such mail is recognised in every spelling, and no honest one is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.transform.boundary import boundary_reveals
from tests.process import ROOT

NOW = datetime(2026, 11, 21, tzinfo=UTC)
POLICY = load_policy({"default.yaml": (ROOT / "policies" / "default.yaml").read_text("utf-8")})


def reveals(content_type: bytes, to: str = "ana@example.com, bob@example.net") -> bool:
    raw = (
        b"From: office@sports.example.jp\r\nTo: "
        + to.encode()
        + b"\r\nContent-Type: "
        + content_type
        + b"\r\n\r\nx\r\n"
    )
    envelope = Envelope(
        sender=parse_path("office@sports.example.jp"),
        recipients=tuple(parse_path(each.strip()) for each in to.split(",")),
        client=Client(ip="127.0.0.1", helo="x"),
    )
    facts = gather(envelope, raw)
    return boundary_reveals(facts, decide(facts, POLICY, NOW))


@pytest.mark.parametrize(
    "boundary",
    [
        b'boundary="=_ana@example.com"',
        b"boundary=ana@example.com",
        b"BOUNDARY = ana@EXAMPLE.com",
        b"boundary=x; boundary=ana@example.com",
        b"boundary=ana=example.com",
        b"boundary*=utf-8''ana%40example.com",
        b"boundary*0=ana@exa; boundary*1=mple.com",
        b'boundary="ana&#64;example.com"',
        b'boundary="=?utf-8?q?ana=40example.com?="',
        b'boundary="ana\xef\xbc\xa0example.com"',
        b'boundary="ana@exa\r\n mple.com"',
    ],
)
def test_an_address_in_a_boundary_is_found(boundary: bytes) -> None:
    assert reveals(b"multipart/mixed; " + boundary)


@pytest.mark.parametrize(
    "content_type",
    [
        b'multipart/mixed; boundary="----=_NextPart_000_0001_01D9.ABCDEF"',
        b'multipart/mixed; boundary="==abc@mailer.example.org=="',
        b'multipart/mixed; boundary="office@sports.example.jp"',
        b"text/plain; name=ana@example.com",
        b"text/plain",
    ],
)
def test_what_can_be_hidden_or_is_nobody_s_address_is_let_through(content_type: bytes) -> None:
    assert not reveals(content_type)


def test_a_mail_that_hides_nobody_may_have_any_boundary() -> None:
    assert not reveals(b"multipart/mixed; boundary=ana@example.com", to="ana@example.com")
