"""Receipts: late, twice, before their time, forged, too many and too large."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from gateway.calling.signing import signed
from gateway.channels import receipts as module
from gateway.channels.carrier import Carrier
from gateway.channels.receipts import AT_ONCE, BURST, MAX_BODY, receipt_routes
from gateway.policy.protection import Way
from tests.channels.carrier_server import SID
from tests.channels.conftest import TOKEN, WEBHOOK_SECRET, MakeCarrier, MemoryKeys
from tests.memory_spool import NOON

URL = "https://gw.example.jp/sekisho/hooks/sms/twilio"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITS_S", (0.01, 0.02, 0.03))


@asynccontextmanager
async def client(made: Carrier, keys: MemoryKeys) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=receipt_routes(made, keys, lambda: NOON))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://gw") as one:
        yield one


def ours(
    status: str, id_: str = "Q1-0", secret: str = WEBHOOK_SECRET, late: timedelta = timedelta(0)
) -> dict[str, object]:
    """Return a receipt to our own webhook, as somebody who knows the secret makes it."""
    body = orjson.dumps({"id": id_, "status": status})
    return {"content": body, "headers": signed("receipt-1", body, secret.encode(), NOON + late)}


def theirs(status: str, token: str = TOKEN, url: str = URL, **more: str) -> dict[str, object]:
    """Return a status callback as Twilio makes it."""
    fields = {"MessageSid": SID, "MessageStatus": status, "To": "+819012345678", "AccountSid": "AC1", **more}
    content = url + "".join(name + fields[name] for name in sorted(fields))
    mac = base64.b64encode(hmac.new(token.encode(), content.encode(), hashlib.sha1).digest()).decode()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": mac}
    return {"content": urlencode(fields).encode(), "headers": headers}


async def post(one: httpx.AsyncClient, adapter: str, request: dict[str, object]) -> int:
    return (await one.post(f"/hooks/sms/{adapter}", **request)).status_code  # type: ignore[arg-type]


@pytest.fixture
def sent(keys: MemoryKeys) -> MemoryKeys:
    """Two keys on their way, one by each carrier."""
    for recipient, receipt in enumerate((f"twilio:{SID}", "webhook:Q1-0")):
        row = keys.add(Way.SMS, recipient=recipient)
        row.state, row.due_at, row.receipt = "sent", None, receipt
    return keys


@pytest.mark.parametrize(
    ("adapter", "status", "state"),
    [
        ("webhook", "delivered", "arrived"),
        ("webhook", "failed", "failed"),
        ("webhook", "sent", "sent"),
        ("webhook", "queued", "sent"),
        ("twilio", "delivered", "arrived"),
        ("twilio", "read", "arrived"),
        ("twilio", "undelivered", "failed"),
        ("twilio", "failed", "failed"),
        ("twilio", "sent", "sent"),
    ],
)
async def test_what_a_receipt_does(
    carrier: MakeCarrier, sent: MemoryKeys, adapter: str, status: str, state: str
) -> None:
    made = carrier(adapter, "http://127.0.0.1:1", receipts=True)
    request = ours(status) if adapter == "webhook" else theirs(status)
    async with client(made, sent) as one:
        assert await post(one, adapter, request) == 204
        assert await post(one, adapter, request) == 204  # told twice is told once
    row = sent.rows[0 if adapter == "twilio" else 1]
    assert row.state == state
    assert row.detail == ("not-delivered" if state == "failed" else "")


FORGED: dict[str, tuple[str, dict[str, object]]] = {
    "no signature": ("webhook", {"content": b'{"id":"Q1-0","status":"delivered"}', "headers": {}}),
    "another secret": ("webhook", ours("delivered", secret="x" * 32)),
    "old": ("webhook", ours("delivered", late=-timedelta(minutes=6))),
    "another body": ("webhook", {**ours("failed"), "content": b'{"id":"Q1-0","status":"delivered"}'}),
    "twilio without": ("twilio", {"content": theirs("delivered")["content"], "headers": {}}),
    "another token": ("twilio", theirs("delivered", token="e" * 32)),
    "another address": ("twilio", theirs("delivered", url="https://gw.example.jp/hooks/sms/twilio")),
    "one field more": (
        "twilio",
        {**theirs("delivered"), "content": bytes(str(theirs("delivered")["content"]), "ascii") + b"&x=1"},
    ),
    "not ascii": ("twilio", {**theirs("delivered"), "content": "鍵".encode()}),
    "a thousand fields": ("twilio", {**theirs("delivered"), "content": b"&".join([b"a=b"] * 1000)}),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_receipt_changes_nothing(carrier: MakeCarrier, sent: MemoryKeys, name: str) -> None:
    adapter, request = FORGED[name]
    async with client(carrier(adapter, "http://127.0.0.1:1", receipts=True), sent) as one:
        assert await post(one, adapter, request) == 403
    assert {row.state for row in sent.rows.values()} == {"sent"}


async def test_what_we_sent_ourselves_is_no_receipt(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    """Both directions have one secret: who records a request of ours cannot send it back as a receipt."""
    body = orjson.dumps({"id": "Q1-0", "to": "+819012345678", "text": "delivered"})
    headers = signed("Q1-0", body, WEBHOOK_SECRET.encode(), NOON)
    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        assert await post(one, "webhook", {"content": body, "headers": headers}) == 400
    assert sent.rows[1].state == "sent"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"{}",
        b'{"id": 1, "status": "delivered"}',
        b'{"id": "Q1-0", "status": "eaten"}',
        b'{"id": "Q1-0", "status": []}',
    ],
)
async def test_a_signed_receipt_that_says_nothing(
    carrier: MakeCarrier, sent: MemoryKeys, body: bytes
) -> None:
    headers = signed("receipt-1", body, WEBHOOK_SECRET.encode(), NOON)
    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        assert await post(one, "webhook", {"content": body, "headers": headers}) == 400


async def test_twilio_without_receipts_takes_none(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    async with client(carrier("twilio", "http://127.0.0.1:1"), sent) as one:
        assert await post(one, "twilio", theirs("delivered")) == 403


async def test_a_receipt_that_is_faster_than_our_own_note_waits_for_it(
    carrier: MakeCarrier, keys: MemoryKeys
) -> None:
    row = keys.add(Way.SMS)
    asyncio.get_running_loop().call_later(0.02, setattr, row, "receipt", "webhook:Q1-0")
    async with client(carrier("webhook", "http://127.0.0.1:1"), keys) as one:
        assert await post(one, "webhook", ours("delivered")) == 204
    assert row.state == "arrived"


async def test_an_unknown_one_is_asked_to_come_again(carrier: MakeCarrier, keys: MemoryKeys) -> None:
    async with client(carrier("webhook", "http://127.0.0.1:1"), keys) as one:
        assert await post(one, "webhook", ours("delivered", "ZZ-9")) == 404


async def test_a_store_that_fails_is_told_as_such(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    sent.down = True
    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        assert await post(one, "webhook", ours("delivered")) == 503
        sent.down = False
        assert await post(one, "webhook", ours("delivered")) == 204


async def test_without_our_secret_nothing_is_believed(
    carrier: MakeCarrier, sent: MemoryKeys, tmp_path: Path
) -> None:
    made = carrier("webhook", "http://127.0.0.1:1")
    (tmp_path / "secret").unlink()
    async with client(made, sent) as one:
        assert await post(one, "webhook", ours("delivered")) == 503
    assert sent.rows[1].state == "sent"


async def test_other_addresses_and_methods_are_not_there(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        assert await post(one, "twilio", theirs("delivered")) == 404
        assert (await one.get("/hooks/sms/webhook")).status_code == 405


async def test_a_large_body_is_cut_short(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        assert await post(one, "webhook", {"content": b"x" * (MAX_BODY + 1), "headers": {}}) == 413


async def test_a_flood_is_turned_away(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        said = [await post(one, "webhook", ours("sent")) for _ in range(int(BURST) + 200)]
    assert said[0] == 204
    assert 429 in said


async def test_strangers_do_not_take_the_carriers_place(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    request: dict[str, object] = {"content": b"x", "headers": {}}
    never = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    async with client(carrier("webhook", "http://127.0.0.1:1"), sent) as one:
        for _ in range(int(BURST) + 200):
            assert await post(one, "webhook", request) == 403
        held = [asyncio.create_task(post(one, "webhook", {"content": slow()})) for _ in range(AT_ONCE + 8)]
        await asyncio.sleep(0.05)
        assert await post(one, "webhook", ours("delivered")) == 204
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_those_that_wait_are_bounded(
    carrier: MakeCarrier, keys: MemoryKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITS_S", (0.3,))
    async with client(carrier("webhook", "http://127.0.0.1:1"), keys) as one:
        said = await asyncio.gather(
            *(post(one, "webhook", ours("failed", "ZZ-9")) for _ in range(AT_ONCE + 8))
        )
    assert said.count(404) == AT_ONCE
    assert said.count(503) == 8


async def test_nothing_of_a_receipt_is_logged(carrier: MakeCarrier, sent: MemoryKeys) -> None:
    with capture_logs() as logs:
        async with client(carrier("twilio", "http://127.0.0.1:1", receipts=True), sent) as one:
            await post(one, "twilio", theirs("delivered"))
            await post(one, "twilio", theirs("delivered", token="e" * 32))
    assert "9012345678" not in repr(logs)
    assert SID not in repr(logs)
