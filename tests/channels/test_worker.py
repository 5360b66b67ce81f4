"""The worker on a real store: text messages and second mails from delivery to their receipt, on one node and on two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from gateway import metrics
from gateway.channels import line as line_module
from gateway.channels.registry import Channels
from gateway.channels.worker import ChannelWorker
from gateway.config.channel_settings import Channels as ChannelSettings
from gateway.config.settings import Settings
from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.keys import KeyLetters
from gateway.notices.letter import Author
from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.key_leaving import SECOND_MAIL_AFTER
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.keys import MasterKey
from tests.channels.carrier_server import CarrierServer, always, hang, http, taken
from tests.channels.conftest import sms_settings
from tests.notices.conftest import read_back, text
from tests.spool.keyed import CLERK, keyed, sealed
from tests.spool.mails import T0, delivered
from tests.spool.test_mail_keys import leave, stages

LATER = T0 + SECOND_MAIL_AFTER


class Now:
    """A clock that the test moves."""

    at = T0

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MasterKey(bytes(range(32))), serve=True, clock=lambda: T0)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "IDLE", timedelta(milliseconds=10))
    monkeypatch.setattr(line_module, "DRAIN_S", 0.05)


Make = Callable[[], ChannelWorker]


@pytest.fixture
async def make(store: SqlSpool, server: CarrierServer, tmp_path: Path, now: Now) -> AsyncIterator[Make]:
    """Make workers of one gateway each; the directory knows the first two recipients."""
    (tmp_path / "directory.csv").write_text("r0@example.com,090-1234-5678\nr1@example.com,080-1111-2222\n")
    sms = sms_settings(tmp_path, "webhook", server.url, directory=tmp_path / "directory.csv")
    settings = Settings(hostname="gw.example.jp", channels=ChannelSettings(sms=sms))
    links = Links(b"x" * 32, "https://gw.example.jp", timedelta(days=7), now)
    tokyo = ZoneInfo("Asia/Tokyo")
    composers = Composers(links, tokyo, Author("Sekisho", "sekisho@gw.example.jp", "gw.example.jp"))
    letters = KeyLetters(links, composers, tokyo, "gw.example.jp", now)
    made: list[Channels] = []

    async def nobody() -> int:
        return 0

    def worker() -> ChannelWorker:
        made.append(Channels(settings, store, letters.second_mail, nobody, lambda: None, now))
        return ChannelWorker(made[-1], store.keys, store, now, 4)

    yield worker
    for channels in made:
        await channels.close()


@asynccontextmanager
async def running(*workers: ChannelWorker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await what():  # noqa: ASYNC110  # what is waited for is no event
            await asyncio.sleep(0.01)


async def reach(store: SqlSpool, queue_id: str, *wanted: Stage) -> None:
    async def there() -> bool:
        return await stages(store, queue_id) == [*wanted]

    await until(there)


async def test_keys_go_as_text_messages_to_who_got_the_mail(
    store: SqlSpool, make: Make, server: CarrierServer
) -> None:
    queue_id = await store.accept(keyed(sealed(Way.SMS), sealed(Way.SMS), sealed(Way.SMS)))
    key = (await store.keys.to_seal(queue_id, [0]))[0].text
    async with running(make()):
        await asyncio.sleep(0.1)
        assert server.asked == []  # the mail has not left
        await leave(store, delivered(0), delivered(1), delivered(2))
        await reach(store, queue_id, Stage.SENT, Stage.SENT, Stage.FAILED)
    assert sorted(b"+819012345678" in asked.body for asked in server.asked) == [False, True]
    assert all(key.encode() in asked.body for asked in server.asked)
    assert [status.detail for status in await store.keys.statuses(queue_id)] == ["", "", "no-number"]
    (notice,) = [each for each in await store.notices.pending(9) if each.kind is NoticeKind.KEY_FAILED]
    assert (notice.recipients, notice.actor) == ((2,), "sms:no-number")


async def test_two_nodes_send_each_key_once(store: SqlSpool, make: Make, server: CarrierServer) -> None:
    ids = [await store.accept(keyed(sealed(Way.SMS), sealed(Way.SMS))) for _ in range(8)]
    async with running(make(), make()):
        for _ in ids:
            await leave(store, delivered(0), delivered(1))
        for queue_id in ids:
            await reach(store, queue_id, Stage.SENT, Stage.SENT)
    sent = [asked.headers["webhook-id"] for asked in server.asked]
    assert sorted(sent) == sorted({*sent})
    assert len(sent) == 16


async def test_a_carrier_that_hangs_keeps_no_second_mail_waiting(
    store: SqlSpool, make: Make, server: CarrierServer, now: Now
) -> None:
    server.answer = hang
    texts = await store.accept(keyed(*[sealed(Way.SMS)] * 2))
    mail = await store.accept(keyed(sealed(Way.SECOND_MAIL)))
    await leave(store, delivered(0), delivered(1))
    await leave(store, delivered(0))
    now.at = LATER
    worker = make()
    async with running(worker):
        await reach(store, mail, Stage.SENT)
        assert await stages(store, texts) == [Stage.SENDING, Stage.SENDING]


async def test_a_carrier_that_comes_back_gets_what_it_missed(
    store: SqlSpool, make: Make, server: CarrierServer, now: Now
) -> None:
    server.answer = always(http(500))
    queue_id = await store.accept(keyed(*[sealed(Way.SMS)] * 2))
    await leave(store, delivered(0), delivered(1))
    worker = make()
    async with running(worker):
        await until(lambda: asyncio.sleep(0, len(server.asked) == 2))
        await reach(store, queue_id, Stage.READY, Stage.READY)
        server.answer = taken
        now.at = T0 + timedelta(seconds=16)
        await reach(store, queue_id, Stage.SENT, Stage.SENT)
    ids = [asked.headers["webhook-id"] for asked in server.asked]
    assert len(ids) == 4
    assert len({*ids}) == 2  # the same name again, so that the other end can tell


async def test_a_second_mail_is_one_of_ours_with_the_key_and_its_fate_is_followed(
    store: SqlSpool, make: Make, now: Now
) -> None:
    queue_id = await store.accept(keyed(sealed(Way.SECOND_MAIL), sealed(Way.SECOND_MAIL)))
    key = (await store.keys.to_seal(queue_id, [0]))[0].text
    await leave(store, delivered(0), delivered(1))
    now.at = LATER
    async with running(make()):
        await reach(store, queue_id, Stage.SENT, Stage.SENT)
    claims = await store.claim(LATER, 10, timedelta(minutes=5))
    claims = sorted(claims, key=lambda claim: str(claim.message.envelope.recipients[0]))
    people = [str(claim.message.envelope.recipients[0]) for claim in claims]
    assert people == ["r0@example.com", "r1@example.com"]
    assert all(claim.message.from_gateway for claim in claims)
    for claim in claims:
        assert key in text(read_back(await store.raw(claim.message.queue_id)))
    await store.record(claims[0], [delivered(0)], LATER)
    another = make()  # a process that did not send them
    await another.look_at_mails(all_of_them=True)
    assert await stages(store, queue_id) == [Stage.ARRIVED, Stage.SENT]
    own = claims[1].message.queue_id
    await store.cancel(own, None, Actor("admin", "root"), Reason.BY_ADMIN, LATER)
    await another.look_at_mails(all_of_them=False)
    assert await stages(store, queue_id) == [Stage.ARRIVED, Stage.SENT]  # it is leaving: nobody cancels that


async def test_a_second_mail_that_comes_back_is_told(store: SqlSpool, make: Make, now: Now) -> None:
    queue_id = await store.accept(keyed(sealed(Way.SECOND_MAIL)))
    await leave(store, delivered(0))
    now.at = LATER
    worker = make()
    async with running(worker):
        await reach(store, queue_id, Stage.SENT)
    (receipt,) = await store.keys.mailed(5)
    own = receipt.removeprefix("mail:")
    await store.cancel(own, None, Actor("admin", "root"), Reason.BY_ADMIN, LATER)
    assert (await store.get(own)).recipients[0].state is State.CANCELLED
    await worker.look_at_mails(all_of_them=False)
    assert await stages(store, queue_id) == [Stage.FAILED]
    told = [each.actor for each in await store.notices.pending(9) if each.kind is NoticeKind.KEY_FAILED]
    assert told == ["second-mail:bounced"]
    await worker.look_at_mails(all_of_them=True)  # told once
    assert len([e for e in await store.notices.pending(9) if e.kind is NoticeKind.KEY_FAILED]) == 1


async def test_a_second_mail_that_was_stopped_never_leaves(store: SqlSpool, make: Make, now: Now) -> None:
    queue_id = await store.accept(keyed(sealed(Way.SECOND_MAIL)))
    await leave(store, delivered(0))
    await store.keys.stop(queue_id, None, CLERK, Reason.BY_SENDER, T0)
    now.at = LATER + timedelta(days=1)
    async with running(make()):
        await asyncio.sleep(0.1)
    assert await stages(store, queue_id) == [Stage.STOPPED]
    assert await store.claim(now.at, 10, timedelta(minutes=5)) == []


async def test_no_key_and_no_number_is_in_a_log_a_metric_or_the_store(
    store: SqlSpool, make: Make, server: CarrierServer, tmp_path: Path
) -> None:
    answers = [http(500, b"x"), http(200), http(422)]
    server.answer = lambda asked, _: answers.pop() if answers else http(200, asked.body)
    with capture_logs() as logs:
        queue_id = await store.accept(keyed(sealed(Way.SMS), sealed(Way.SMS)))
        key = (await store.keys.to_seal(queue_id, [0]))[0].text
        await leave(store, delivered(0), delivered(1))
        async with running(make()):
            await until(lambda: asyncio.sleep(0, len(server.asked) == 2))
            await asyncio.sleep(0.1)
    told = repr(logs) + metrics.render().decode()
    disk = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert len(disk) > 10_000
    for secret in (key, key.replace("-", ""), "9012345678", "8011112222", "090-1234-5678"):
        assert secret not in told
        assert secret.encode() not in disk
