"""The adapters against a carrier on this machine: what is sent, and what each answer means."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import orjson
import pytest

from gateway.calling.signing import is_signed
from gateway.channels.carrier import TextMessage
from gateway.channels.contract import NotSent, Why
from tests.channels.carrier_server import (
    SID,
    CarrierServer,
    always,
    cut,
    drip,
    endless,
    hang,
    http,
    nonsense,
)
from tests.channels.conftest import ACCOUNT, KEY, NUMBER, TOKEN, WEBHOOK_SECRET, MakeCarrier
from tests.memory_spool import NOON

MESSAGE = TextMessage("Q1-0", NUMBER, f"鍵: {KEY}")
BOTH = pytest.mark.parametrize("adapter", ["webhook", "twilio"])


async def test_our_own_request_is_signed_and_says_what_the_page_says(
    server: CarrierServer, carrier: MakeCarrier
) -> None:
    name = await carrier("webhook", server.url).carry(MESSAGE)
    asked = server.asked[0]
    assert name == "Q1-0"
    assert (asked.method, asked.path) == ("POST", "/send")
    assert orjson.loads(asked.body) == {"id": "Q1-0", "to": NUMBER, "text": MESSAGE.text}
    assert asked.headers["idempotency-key"] == "Q1-0"
    assert asked.headers["content-type"] == "application/json"
    assert is_signed(asked.headers, asked.body, WEBHOOK_SECRET.encode(), NOON)


async def test_the_other_request_is_what_twilio_documents(
    server: CarrierServer, carrier: MakeCarrier
) -> None:
    name = await carrier("twilio", server.url, receipts=True).carry(MESSAGE)
    asked = server.asked[0]
    assert name == SID
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert parse_qs(asked.body.decode(), strict_parsing=True) == {
        "To": [NUMBER],
        "From": ["+815011112222"],
        "Body": [MESSAGE.text],
        "StatusCallback": ["https://gw.example.jp/sekisho/hooks/sms/twilio"],
    }
    assert (
        asked.headers["authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    )


async def test_an_api_key_and_a_messaging_service(
    server: CarrierServer, tmp_path: Path, carrier: MakeCarrier
) -> None:
    (tmp_path / "api").write_text("api secret")
    twilio = {
        "account": ACCOUNT,
        "token_file": tmp_path / "token",
        "api_key": "SK" + "1" * 32,
        "api_secret_file": tmp_path / "api",
        "sender": "MG" + "2" * 32,
        "url": server.url,
    }
    await carrier("twilio", server.url, twilio=twilio).carry(MESSAGE)
    asked = server.asked[0]
    fields = parse_qs(asked.body.decode())
    assert fields["MessagingServiceSid"] == ["MG" + "2" * 32]
    assert "From" not in fields
    assert "StatusCallback" not in fields
    credentials = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert credentials == "SK" + "1" * 32 + ":api secret"


@pytest.mark.parametrize(
    ("adapter", "answer", "why", "final", "after"),
    [
        ("webhook", http(500), Why.ANSWER, False, None),
        ("webhook", http(404), Why.ANSWER, False, None),
        ("webhook", http(400), Why.ANSWER, False, None),
        ("webhook", http(302, b"", "location: http://127.0.0.1:1/"), Why.ANSWER, False, None),
        ("webhook", http(401), Why.CREDENTIALS, False, None),
        ("webhook", http(403), Why.CREDENTIALS, False, None),
        ("webhook", http(422), Why.REFUSED_NUMBER, True, None),
        ("webhook", http(429), Why.TOO_MANY, False, None),
        ("webhook", http(429, b"", "retry-after: 120"), Why.TOO_MANY, False, 120),
        ("webhook", http(503, b"", "retry-after: 99999999"), Why.ANSWER, False, 3600),
        ("webhook", http(503, b"", "retry-after: Fri, 20 Nov 2026 04:00:00 GMT"), Why.ANSWER, False, None),
        ("twilio", http(500), Why.ANSWER, False, None),
        ("twilio", http(200, b"<html>"), Why.ANSWER, False, None),
        ("twilio", http(201, b'{"sid": 5}'), Why.ANSWER, False, None),
        ("twilio", http(201, b'{"sid": "SM/../../"}'), Why.ANSWER, False, None),
        ("twilio", http(201, b"[]"), Why.ANSWER, False, None),
        (
            "twilio",
            http(201, b'{"sid": "SM0123456789abcdef0123456789abcdef", "status": "failed"}'),
            *(Why.NOT_DELIVERED, False, None),
        ),
        ("twilio", http(401, b'{"code": 20003}'), Why.CREDENTIALS, False, None),
        ("twilio", http(429, b'{"code": 20429}'), Why.TOO_MANY, False, None),
        ("twilio", http(400, b'{"code": 21211, "message": "x"}'), Why.REFUSED_NUMBER, True, None),
        ("twilio", http(400, b'{"code": 21610}'), Why.REFUSED_NUMBER, True, None),
        ("twilio", http(400, b'{"code": 21614}'), Why.REFUSED_NUMBER, True, None),
        ("twilio", http(400, b'{"code": 21408}'), Why.COUNTRY, True, None),
        ("twilio", http(400, b'{"code": 21606}'), Why.ANSWER, False, None),
        ("twilio", http(400, b'{"code": [21211]}'), Why.ANSWER, False, None),
        ("twilio", http(400, b"garbage"), Why.ANSWER, False, None),
    ],
)
async def test_what_an_answer_means(
    server: CarrierServer,
    adapter: str,
    answer: bytes,
    why: Why,
    final: bool,
    after: int | None,
    carrier: MakeCarrier,
) -> None:
    server.answer = always(answer)
    with pytest.raises(NotSent) as caught:
        await carrier(adapter, server.url).carry(MESSAGE)
    assert (caught.value.why, caught.value.final) == (why, final)
    assert (caught.value.after and caught.value.after.total_seconds()) == after
    assert len(server.asked) == 1


@BOTH
@pytest.mark.parametrize(
    ("mood", "why"),
    [
        (hang, Why.UNREACHABLE),
        (drip, Why.UNREACHABLE),
        (cut, Why.UNREACHABLE),
        (nonsense, Why.UNREACHABLE),
        (endless, Why.ANSWER),
    ],
)
async def test_a_carrier_on_a_bad_day(
    server: CarrierServer, adapter: str, mood: Callable[..., object], why: Why, carrier: MakeCarrier
) -> None:
    server.answer = mood
    with pytest.raises(NotSent) as caught:
        await carrier(adapter, server.url).carry(MESSAGE)
    # A drip that happens to reach the bound in size first would be no answer either.
    assert caught.value.why is why
    assert not caught.value.final


@BOTH
async def test_nobody_there(adapter: str, carrier: MakeCarrier) -> None:
    with pytest.raises(NotSent) as caught:
        await carrier(adapter, "http://127.0.0.1:1").carry(MESSAGE)
    assert caught.value.why is Why.UNREACHABLE


@BOTH
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"two\nlines of a secret that is long enough"])
async def test_a_secret_that_cannot_be_read(
    server: CarrierServer, tmp_path: Path, adapter: str, content: bytes | None, carrier: MakeCarrier
) -> None:
    made = carrier(adapter, server.url)
    for name in ("secret", "token"):
        (tmp_path / name).unlink()
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(NotSent) as caught:
        await made.carry(MESSAGE)
    assert caught.value.why is Why.CREDENTIALS
    assert not server.asked
    assert not (await made.health()).works


@BOTH
async def test_a_new_secret_counts_at_once(
    server: CarrierServer, tmp_path: Path, adapter: str, carrier: MakeCarrier
) -> None:
    made = carrier(adapter, server.url)
    await made.carry(MESSAGE)
    for name in ("secret", "token"):
        (tmp_path / name).write_text("another secret, also longer than 24 octets")
    await made.carry(MESSAGE)
    first, second = (
        asked.headers.get("authorization", asked.headers.get("webhook-signature")) for asked in server.asked
    )
    assert first != second


@BOTH
async def test_health_asks_without_sending_anything(
    server: CarrierServer, adapter: str, carrier: MakeCarrier
) -> None:
    made = carrier(adapter, server.url)
    assert (await made.health()).works
    assert [asked.method for asked in server.asked] == ["HEAD" if adapter == "webhook" else "GET"]
    server.answer = always(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")
    assert not (await made.health()).works
    server.answer = hang
    assert not (await made.health()).works


@pytest.mark.parametrize(("adapter", "words"), [("twilio", "account"), ("webhook", "signature")])
async def test_a_carrier_that_does_not_know_us_is_told(
    server: CarrierServer, carrier: MakeCarrier, adapter: str, words: str
) -> None:
    server.answer = always(b"HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n")
    health = await carrier(adapter, server.url).health()
    assert not health.works
    assert words in health.words
    asked = server.asked[0]
    assert adapter == "twilio" or is_signed(asked.headers, b"", WEBHOOK_SECRET.encode(), NOON)


async def test_neither_proxy_nor_password_comes_from_the_environment(
    server: CarrierServer, monkeypatch: pytest.MonkeyPatch, carrier: MakeCarrier
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await carrier("webhook", server.url).carry(MESSAGE)
    await carrier("webhook", server.url, proxy="http://127.0.0.1:1").carry(MESSAGE)  # loopback needs none
    assert [asked.headers["host"] for asked in server.asked] == [f"127.0.0.1:{server.port}"] * 2


async def test_what_a_message_holds_is_in_no_repr() -> None:
    assert KEY not in repr(MESSAGE)
    assert NUMBER not in repr(MESSAGE)
