"""Webhooks against a server of their own, on both stores: who hears what, in what order, and after which failures."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest

from gateway.config.webhook_settings import Topic, Webhook
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import SqlSpool
from gateway.spool.values import SYSTEM, Claim
from gateway.webhooks.standing import Standing
from gateway.webhooks.worker import LEASE, PAUSES, Hook
from tests.channels.carrier_server import Asked, CarrierServer, carrier_server
from tests.spool.mails import LEASE as MAIL_LEASE
from tests.spool.mails import T0, delivered, mail

SECRET = "a secret that both sides know, of more than 24 octets"


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def server() -> AsyncIterator[CarrierServer]:
    async with carrier_server() as running:
        running.answer = lambda asked, writer: b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
        yield running


@pytest.fixture
async def hook(spool: SqlSpool, server: CarrierServer, hands: Hands, tmp_path: Path) -> AsyncIterator[Hook]:
    one = await made(spool, server, hands, tmp_path)
    yield one
    await one.close()


async def made(
    spool: SqlSpool, server: CarrierServer, hands: Hands, folder: Path, *topics: Topic, name: str = "desk"
) -> Hook:
    secret = folder / "secret"
    secret.write_text(SECRET + "\n", encoding="utf-8")
    settings = Webhook(name=name, url=f"{server.url}/told", secret_file=secret, topics=topics or tuple(Topic))
    standing = Standing(spool.database)
    await standing.begin(name, hands())
    return Hook(settings, standing, hands)


async def all_told(hook: Hook) -> None:
    while await hook.tell():
        pass


def told(server: CarrierServer) -> list[tuple[str, str]]:
    """Return type and queue id of every request."""
    bodies = [orjson.loads(asked.body) for asked in server.asked]
    return [(body["type"], body["data"]["queue_id"]) for body in bodies]


async def leave(spool: SqlSpool, queue_id: str) -> None:
    await spool.release(queue_id, None, SYSTEM, Reason.BY_ADMIN, T0)
    claims: list[Claim] = list(await spool.claim(T0, 10, MAIL_LEASE))
    for claim in claims:
        await spool.record(claim, [delivered(row.index) for row in claim.message.recipients], T0)


async def test_held_and_left_are_told_in_order(spool: SqlSpool, hook: Hook, server: CarrierServer) -> None:
    queue_id = await spool.accept(mail(held=2))
    await all_told(hook)
    await leave(spool, queue_id)
    await all_told(hook)
    assert told(server) == [("mail.held", queue_id), ("mail.left", queue_id)]
    assert await hook.tell() is False
    assert len(server.asked) == 2


async def test_every_request_is_signed(spool: SqlSpool, hook: Hook, server: CarrierServer) -> None:
    await spool.accept(mail(held=1))
    await all_told(hook)
    (asked,) = server.asked
    signed = b"%b.%b.%b" % (
        asked.headers["webhook-id"].encode(),
        asked.headers["webhook-timestamp"].encode(),
        asked.body,
    )
    right = b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{right}"


async def test_what_was_before_is_not_told(
    spool: SqlSpool, server: CarrierServer, hands: Hands, tmp_path: Path
) -> None:
    await spool.accept(mail(held=1))
    late = await made(spool, server, hands, tmp_path, name="late")
    second = await spool.accept(mail(held=1))
    await all_told(late)
    await late.close()
    assert told(server) == [("mail.held", second)]


async def test_topics_choose(spool: SqlSpool, server: CarrierServer, hands: Hands, tmp_path: Path) -> None:
    only = await made(spool, server, hands, tmp_path, Topic.LEFT, name="only-left")
    queue_id = await spool.accept(mail(held=1))
    await leave(spool, queue_id)
    await all_told(only)
    await only.close()
    assert told(server) == [("mail.left", queue_id)]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"\x00\x01\x02 what is this\r\n\r\n",
    ],
)
async def test_a_failure_keeps_the_place_and_waits(
    spool: SqlSpool, hook: Hook, server: CarrierServer, hands: Hands, answer: bytes
) -> None:
    well = server.answer
    first = await spool.accept(mail(held=1))
    second = await spool.accept(mail(held=1))
    server.answer = lambda asked, writer: answer
    assert await hook.tell() is False
    assert await hook.tell() is False  # not before its time
    assert len(server.asked) == 1
    server.answer = well
    hands.now += PAUSES[0]
    await all_told(hook)
    assert told(server) == [("mail.held", first), ("mail.held", first), ("mail.held", second)]
    assert server.asked[0].headers["webhook-id"] == server.asked[1].headers["webhook-id"]


async def test_pauses_grow_and_end_with_a_success(
    spool: SqlSpool, hook: Hook, server: CarrierServer, hands: Hands
) -> None:
    await spool.accept(mail(held=1))
    server.answer = lambda asked, writer: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    for pause in (*PAUSES, PAUSES[-1]):
        before = len(server.asked)
        await hook.tell()
        assert len(server.asked) == before + 1
        hands.now += pause - timedelta(seconds=1)
        await hook.tell()
        assert len(server.asked) == before + 1, pause
        hands.now += timedelta(seconds=1)


async def test_a_secret_that_is_gone_sends_nothing_unsigned(
    spool: SqlSpool, hook: Hook, server: CarrierServer, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("short", encoding="utf-8")
    await spool.accept(mail(held=1))
    assert await hook.tell() is False
    assert server.asked == []


async def test_one_process_at_a_time(
    spool: SqlSpool, hook: Hook, server: CarrierServer, hands: Hands, tmp_path: Path
) -> None:
    """The other comes when the lease is over, and what was cut short is told again under the same id."""
    queue_id = await spool.accept(mail(held=1))
    hangs = asyncio.Event()

    async def never(asked: Asked) -> None:
        hangs.set()
        await asyncio.sleep(3600)

    server.answer = lambda asked, writer: never(asked)
    other = await made(spool, server, hands, tmp_path)
    under_way = asyncio.create_task(hook.tell())
    await hangs.wait()
    assert await other.tell() is False
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)
    assert await other.tell() is False
    hands.now += LEASE + timedelta(seconds=1)
    server.answer = lambda asked, writer: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    await all_told(other)
    await other.close()
    assert told(server) == [("mail.held", queue_id), ("mail.held", queue_id)]
    assert len({asked.headers["webhook-id"] for asked in server.asked}) == 1


async def test_more_than_a_page_is_told_whole(spool: SqlSpool, hook: Hook, server: CarrierServer) -> None:
    ids = [await spool.accept(mail(held=1)) for _ in range(130)]
    await all_told(hook)
    assert told(server) == [("mail.held", queue_id) for queue_id in ids]
