"""Links over the real spool and the real event log: opened by one, locked, proved, taken back, and proved again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa

from gateway.console.app import create_app
from gateway.links import Links
from gateway.policy.protection import How, Way
from gateway.service.proving import prover
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.share_contract import Visitor
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.schema import events
from tests.console.browser import answer, read, send
from tests.console.conftest import ORIGIN, HandClock
from tests.memory_spool import mail as octets
from tests.spool.conftest import MASTER
from tests.spool.keyed import keyed, sealed
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, deferred, delivered

CLAIM = "下記の宛先は誰もリンクを開かず、ファイルをダウンロードしていません。"
LINK = replace(sealed(Way.CODE_PAGE), forms=((1, How.LINK),), needs_key=False)
GUEST = Visitor("198.51.100.7", "a-visit")
TO = ["r0@example.com", "r1@example.com", "r2@example.com"]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def real(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def client(real: SqlSpool, links: Links, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    prove = prover(real.database)
    app = create_app(real, links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp", prove=prove)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
async def queue_id(real: SqlSpool, clock: HandClock) -> str:
    """A mail to three: two have it, the third server said to come again."""
    accepted = await real.accept(replace(keyed(LINK, LINK, LINK), raw=octets("名簿", TO)))
    for claim in await real.claim(clock(), 100, LEASE):
        later = deferred(2, clock() + timedelta(hours=1))
        await real.record(claim, [delivered(0), delivered(1), later], clock())
    return accepted


@pytest.fixture
def url(links: Links, queue_id: str) -> str:
    return links.url(queue_id, str(SENDER))


async def open_link(spool: SqlSpool, queue_id: str, recipient: int, clock: HandClock) -> None:
    """Do what a recipient does: ask for a code, enter it, fetch the file."""
    await spool.shares.ask_code(queue_id, recipient, GUEST, clock())
    (letter,) = [each for each in await spool.notices.pending(100) if each.kind is NoticeKind.CODE]
    code = spool.shares.code_of(letter)
    assert code is not None
    assert await spool.shares.enter(queue_id, recipient, code, "", GUEST, clock())
    await spool.shares.fetch(queue_id, recipient, 1, GUEST, clock())


async def test_nobody_opened_it_is_proved_and_then_it_is_not_so(
    client: httpx.AsyncClient, real: SqlSpool, url: str, queue_id: str, clock: HandClock
) -> None:
    page = read(await send(client, url, "statement")).text
    assert CLAIM in page
    assert "連鎖は完全です。 末尾はマスターキーで封印されています。" in page
    await open_link(real, queue_id, 0, clock)
    page = read(await send(client, url, "statement")).text
    assert CLAIM not in page
    assert "名簿.xlsx をダウンロードしました 198.51.100.7" in page
    assert "r1@example.com 開封なし、ダウンロードなし。" in page
    shown = read(await client.get(url)).text
    assert "1件の宛先がリンクを開きました。" in shown
    assert "r0@example.com コードを入力してページを開きました" in shown


async def test_a_log_that_was_changed_proves_nothing(
    client: httpx.AsyncClient, real: SqlSpool, url: str, queue_id: str, clock: HandClock
) -> None:
    await open_link(real, queue_id, 0, clock)
    hide = sa.delete(events).where(events.c.kind.in_(["share-opened", "share-fetched"]))
    await real.database.committer.run(lambda tx: tx.connection.execute(hide))
    page = read(await send(client, url, "statement")).text
    assert CLAIM not in page
    assert "この書面は証明になりません。" in page
    assert "連鎖が壊れています。" in page


async def test_locked_unlocked_extended(
    client: httpx.AsyncClient, real: SqlSpool, url: str, queue_id: str
) -> None:
    before = {each.recipient: each.expires_at for each in await real.shares.of(queue_id)}
    done = await send(client, url, "lock", ("which", "ticked"), ("recipient", "1"))
    assert "1件をロックしました。" in await answer(client, done)
    assert [each.locked_at is not None for each in await real.shares.of(queue_id)] == [False, True, False]
    assert "1件のロックを解除しました。" in await answer(
        client, await send(client, url, "unlock", ("which", "all"))
    )
    done = await send(client, url, "extend", ("which", "all"), ("days", "30"))
    assert done.status_code == 303
    assert all(each.expires_at >= before[each.recipient] for each in await real.shares.of(queue_id))


async def test_taken_back_tells_the_truth_by_recipient_also_the_second_time(
    client: httpx.AsyncClient, real: SqlSpool, url: str, queue_id: str, clock: HandClock
) -> None:
    await open_link(real, queue_id, 0, clock)
    asked = read(await client.get(f"{url}/take-back")).text
    assert "まだ送信していません。送信を取り消します r2@example.com" in asked
    for _ in range(2):
        text = read(await send(client, url, "take-back")).text
        assert "送信していません。今後も送信しません r2@example.com" in text
        assert "リンクを開いていません。公開を終了しました r1@example.com" in text
        assert "ダウンロード済みのものは戻りません r0@example.com（" in text
    assert [row.state for row in (await real.get(queue_id)).recipients][2] is State.CANCELLED
    assert all(each.ended_at is not None for each in await real.shares.of(queue_id))
    again = await client.get(f"{url}/take-back")
    assert "このメールで取り戻せるものは、もうありません。" in read(again).text
    assert (
        "r1@example.com 開封なし、ダウンロードなし。 公開終了:"
        in read(await send(client, url, "statement")).text
    )


async def test_only_the_sender_of_the_mail_by_its_own_link(
    client: httpx.AsyncClient, real: SqlSpool, links: Links, queue_id: str
) -> None:
    """A link to the download page is no link to the sender's page, nor is one to another mail."""
    recipients = links.share_url(queue_id, 0).rpartition("/")[2]
    for verb in ("", "/take-back", "/statement", "/key"):
        assert (await client.get(f"/m/{recipients}{verb}")).status_code == 404
    assert Actor("sender", str(SENDER)) not in [each.actor for each in await real.shares.history(queue_id)]
