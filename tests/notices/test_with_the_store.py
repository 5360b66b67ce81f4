"""The sender's second thought from end to end on the real spool: accepted, told of, opened, cancelled, told again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.notices.compose import Composers
from gateway.notices.worker import NoticeWorker
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor, NewMessage
from gateway.store.keys import MasterKey
from tests.console.browser import press, read
from tests.memory_spool import NOON, SENDER, decision_for, mail
from tests.notices.conftest import AUTHOR, read_back, text

OUT = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")
LEASE = timedelta(minutes=5)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MasterKey(bytes(range(32))), serve=True, clock=lambda: NOON)
    yield opened
    await opened.close()


@pytest.fixture
def worker(store: SqlSpool, composers: Composers) -> NoticeWorker:
    return NoticeWorker(store, composers.by_kind(), composers, lambda: NOON, AUTHOR.hostname, lambda: None)


@pytest.fixture
async def client(store: SqlSpool, links: Links) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(store, links, lambda: NOON, ZoneInfo("Asia/Tokyo"), AUTHOR.hostname)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=links.origin) as client:
        yield client


async def accept(store: SqlSpool) -> str:
    envelope = Envelope(parse_path(SENDER), tuple(map(parse_path, OUT)), Client("192.0.2.10"))
    raw = mail("テニス教室のお知らせ", OUT)
    return await store.accept(
        NewMessage(envelope, raw, decision_for((0, 0, 0)), NOON, subject="テニス教室のお知らせ")
    )


async def own_mail(store: SqlSpool, number: int) -> bytes:
    """Return the octets of the mail of our own that would leave next."""
    claims = await store.claim(NOON + timedelta(seconds=number), 10, LEASE)
    (claim,) = [claim for claim in claims if claim.message.from_gateway]
    assert claim.message.envelope.sender is None
    return await store.raw(claim.message.queue_id)


async def states(store: SqlSpool, queue_id: str) -> list[State]:
    return [row.state for row in (await store.get(queue_id)).recipients]


async def test_a_mail_is_held_told_of_opened_and_cancelled(
    store: SqlSpool, worker: NoticeWorker, client: httpx.AsyncClient
) -> None:
    queue_id = await accept(store)
    assert await worker.run_once() == 1
    assert await store.notices.pending(10) == []
    told = text(read_back(await own_mail(store, 1)))
    (url,) = [word for word in told.split() if word.startswith("https://")]
    page = await client.get(url)
    assert "このメールは送信を保留しています" in read(page).text
    assert await states(store, queue_id) == [State.HELD] * 3
    after = await press(client, page, "cancel", "ticked", (0, 2))
    assert "2件を取り消しました。" in read(after).text
    assert await states(store, queue_id) == [State.CANCELLED, State.HELD, State.CANCELLED]
    after = await press(client, after, "release", "all")
    assert "1件の保留を解除しました。" in read(after).text
    assert await states(store, queue_id) == [State.CANCELLED, State.QUEUED, State.CANCELLED]


async def test_what_is_leaving_is_told_as_leaving(
    store: SqlSpool, worker: NoticeWorker, client: httpx.AsyncClient, links: Links
) -> None:
    queue_id = await accept(store)
    page = await client.get(links.url(queue_id, SENDER))
    await store.release(queue_id, {1}, Actor("admin", "root"), Reason.BY_ADMIN, NOON)
    await store.claim(NOON, 10, LEASE)
    after = await press(client, page, "cancel", "all")
    assert "2件を取り消しました。" in read(after).text
    assert "1件は送信中のため、取り消せませんでした。" in read(after).text
    assert await states(store, queue_id) == [State.CANCELLED, State.ACTIVE, State.CANCELLED]


async def test_the_sender_is_told_what_an_administrator_cancelled(
    store: SqlSpool, worker: NoticeWorker
) -> None:
    queue_id = await accept(store)
    await store.cancel(queue_id, {0}, Actor("admin", "root"), Reason.BY_ADMIN, NOON)
    assert await worker.run_once() == 2
    claims = await store.claim(NOON + timedelta(seconds=1), 10, LEASE)
    notices = [read_back(await store.raw(claim.message.queue_id)) for claim in claims]
    cancelled = [notice for notice in notices if notice["Subject"].startswith("【送信取消】")]
    assert len(cancelled) == 1
    assert OUT[0] in text(cancelled[0])
    assert OUT[1] not in text(cancelled[0])
    assert "システム管理者(root)が" in text(cancelled[0])


async def test_own_mail_brings_no_notices(store: SqlSpool, worker: NoticeWorker) -> None:
    await accept(store)
    for _ in range(3):
        await worker.run_once()
    assert len(await store.claim(NOON + timedelta(seconds=1), 10, LEASE)) == 1


async def test_a_finished_mailing_is_reported_once(store: SqlSpool, worker: NoticeWorker) -> None:
    envelope = Envelope(parse_path(SENDER), tuple(map(parse_path, OUT)), Client("192.0.2.10"))
    decision = replace(
        decision_for((0, 0, 0)), notify_sender=False, report_to=frozenset({"audit@city.example.lg.jp"})
    )
    queue_id = await store.accept(NewMessage(envelope, mail("x", OUT), decision, NOON, subject="x"))
    assert await worker.run_once() == 0
    await store.cancel(queue_id, None, Actor("sender", SENDER), Reason.BY_SENDER, NOON)
    assert await worker.run_once() == 1
    told = read_back(await own_mail(store, 0))
    assert told["To"].addresses[0].addr_spec == "audit@city.example.lg.jp"
    assert all(address in text(told) for address in OUT)
    assert await worker.run_once() == 0
