"""A line: what it does with an attempt however that ends, side by side with others, and when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway import metrics
from gateway.channels import line as module
from gateway.channels.contract import Handed, Health, NotSent, Why
from gateway.channels.line import AILING, Line
from gateway.channels.schedule import PAUSES
from gateway.policy.protection import Way
from gateway.spool.contract import StoreUnavailable
from gateway.spool.key_contract import KeySending
from gateway.spool.values import Stored
from tests.channels.conftest import KEY, NUMBER, Mails, MemoryKeys
from tests.memory_spool import NOON

Send = Callable[[KeySending], Awaitable[Handed]]


@dataclass
class Scripted:
    """A channel that does what it is told."""

    how: Send
    way: Way = Way.SMS
    route_is_mails_own: bool = False
    seen: list[KeySending] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    def needs(self, recipient: str) -> str:
        return ""

    async def send(self, sending: KeySending, about: Stored) -> Handed:
        assert about.queue_id == sending.queue_id
        self.seen.append(sending)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self.how(sending)
        finally:
            self.under_way -= 1

    async def health(self) -> Health:
        return Health(True, "")


async def fine(sending: KeySending) -> Handed:
    return Handed(f"x:{sending.recipient}", NUMBER)


def failing(error: Exception) -> Send:
    async def fail(_: KeySending) -> Handed:
        raise error

    return fail


@asynccontextmanager
async def running(line: Line) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(line.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110  # what is waited for is no event
            await asyncio.sleep(0.005)


def line(channel: Scripted, keys: MemoryKeys, spool: Mails, slots: int = 4) -> Line:
    return Line(channel, keys, spool.door(), slots, lambda: NOON)


async def test_a_key_goes_and_its_receipt_and_number_are_kept(keys: MemoryKeys, spool: Mails) -> None:
    row = keys.add(Way.SMS)
    async with running(line(Scripted(fine), keys, spool)):
        await until(lambda: row.state == "sent")
    assert (row.receipt, row.sending.to) == ("x:0", NUMBER)


async def test_other_ways_are_left_alone(keys: MemoryKeys, spool: Mails) -> None:
    row, other = keys.add(Way.SMS), keys.add(Way.SECOND_MAIL, recipient=1)
    async with running(line(Scripted(fine), keys, spool)):
        await until(lambda: row.state == "sent")
    assert other.state == "ready"


@pytest.mark.parametrize(
    ("error", "state", "detail", "again"),
    [
        (NotSent(Why.UNREACHABLE), "ready", "unreachable", PAUSES[0]),
        (NotSent(Why.TOO_MANY, after=timedelta(minutes=7)), "ready", "too-many", timedelta(minutes=7)),
        (NotSent(Why.REFUSED_NUMBER, final=True), "failed", "refused-number", None),
        (RuntimeError(f"{KEY} to {NUMBER}"), "ready", "error", PAUSES[0]),
        (TimeoutError(), "ready", "unreachable", PAUSES[0]),
    ],
)
async def test_how_an_attempt_may_fail(
    keys: MemoryKeys, spool: Mails, error: Exception, state: str, detail: str, again: timedelta | None
) -> None:
    row = keys.add(Way.SMS)
    with capture_logs() as logs:
        async with running(line(Scripted(failing(error)), keys, spool)):
            await until(lambda: row.detail != "")
    assert (row.state, row.detail) == (state, detail)
    assert row.due_at == (None if again is None else NOON + again)
    assert KEY not in repr(logs)
    assert NUMBER not in repr(logs)


async def test_after_the_last_pause_it_is_given_up(keys: MemoryKeys, spool: Mails) -> None:
    row = keys.add(Way.SMS)
    for attempt in range(len(PAUSES) + 1):
        assert row.state == "ready", attempt
        row.due_at = NOON
        async with running(line(Scripted(failing(NotSent(Why.UNREACHABLE))), keys, spool)):
            await until(lambda: row.state != "sending" and row.sending.attempts == attempt + 1)  # noqa: B023
    assert (row.state, row.detail) == ("failed", "unreachable")


async def test_a_mail_that_is_gone_is_given_up(keys: MemoryKeys, spool: Mails) -> None:
    row = keys.add(Way.SMS, queue_id="GONE")
    channel = Scripted(fine)
    async with running(line(channel, keys, spool)):
        await until(lambda: row.detail != "")
    assert (row.state, row.detail) == ("failed", "gone")
    assert channel.seen == []


async def test_a_store_that_fails_is_waited_for(
    keys: MemoryKeys, spool: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE", timedelta(milliseconds=5))
    row = keys.add(Way.SMS)
    keys.down = True
    one = line(Scripted(fine), keys, spool)
    async with running(one) as task:
        await asyncio.sleep(0.05)
        assert not task.done()
        keys.down = False
        await until(lambda: row.state == "sent")


async def test_a_mail_that_cannot_be_read_just_now_keeps_its_lease(keys: MemoryKeys, spool: Mails) -> None:
    row = keys.add(Way.SMS)
    spool.down = True
    channel = Scripted(fine)
    async with running(line(channel, keys, spool)):
        await until(lambda: row.state == "sending")
        await asyncio.sleep(0.02)
    assert (row.state, row.detail) == ("sending", "")  # due again when the lease ends
    assert channel.seen == []


async def test_that_it_was_sent_is_written_again_and_again(
    keys: MemoryKeys, spool: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_PAUSE_S", 0.01)
    row = keys.add(Way.SMS)

    async def fine_but_then_down(sending: KeySending) -> Handed:
        keys.down = True
        asyncio.get_running_loop().call_later(0.025, setattr, keys, "down", False)
        return await fine(sending)

    channel = Scripted(fine_but_then_down)
    async with running(line(channel, keys, spool)):
        await until(lambda: row.state == "sent")
    assert len(channel.seen) == 1


async def test_no_more_at_once_than_there_are_slots(keys: MemoryKeys, spool: Mails) -> None:
    for recipient in range(20):
        keys.add(Way.SMS, recipient=recipient)

    async def slow(sending: KeySending) -> Handed:
        await asyncio.sleep(0.005)
        return await fine(sending)

    channel = Scripted(slow)
    async with running(line(channel, keys, spool, slots=3)):
        await until(lambda: all(row.state == "sent" for row in keys.rows.values()))
    assert channel.most == 3
    assert len(channel.seen) == 20


async def test_one_that_hangs_keeps_the_others_of_its_way_going(
    keys: MemoryKeys, spool: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN_S", 0.02)
    for recipient in range(5):
        keys.add(Way.SMS, recipient=recipient)

    async def hang_for_the_first(sending: KeySending) -> Handed:
        if sending.recipient == 0:
            await asyncio.Event().wait()
        return await fine(sending)

    async with running(line(Scripted(hang_for_the_first), keys, spool, slots=2)):
        await until(lambda: sum(row.state == "sent" for row in keys.rows.values()) == 4)
    assert keys.rows[0].state == "sending"


async def test_what_hangs_is_cut(keys: MemoryKeys, spool: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPT_S", 0.02)
    row = keys.add(Way.SMS)

    async def hang(_: KeySending) -> Handed:
        await asyncio.Event().wait()
        raise AssertionError

    async with running(line(Scripted(hang), keys, spool)):
        await until(lambda: row.detail != "")
    assert (row.state, row.detail) == ("ready", "unreachable")


async def test_what_is_under_way_at_the_end_is_finished(keys: MemoryKeys, spool: Mails) -> None:
    row = keys.add(Way.SMS)
    go = asyncio.Event()

    async def wait(sending: KeySending) -> Handed:
        await go.wait()
        return await fine(sending)

    task = asyncio.create_task(line(Scripted(wait), keys, spool).run())
    await until(lambda: row.state == "sending")
    task.cancel()
    asyncio.get_running_loop().call_later(0.02, go.set)
    await asyncio.gather(task, return_exceptions=True)
    assert row.state == "sent"


async def test_at_the_end_a_hanging_one_is_not_waited_for_long(
    keys: MemoryKeys, spool: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN_S", 0.02)
    row = keys.add(Way.SMS)

    async def hang(_: KeySending) -> Handed:
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(line(Scripted(hang), keys, spool).run())
    await until(lambda: row.state == "sending")
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(task, return_exceptions=True)
    assert row.state == "sending"


async def test_a_carrier_that_fails_again_and_again_is_told_until_it_works(
    keys: MemoryKeys, spool: Mails
) -> None:
    moods: list[Exception] = [NotSent(Why.CREDENTIALS)] * AILING

    async def moody(sending: KeySending) -> Handed:
        if moods:
            raise moods.pop()
        return await fine(sending)

    one = line(Scripted(moody), keys, spool, slots=1)
    for recipient in range(AILING + 1):
        keys.add(Way.SMS, recipient=recipient).due_at = None
    async with running(one):
        for recipient in range(AILING):
            assert one.ails == ""
            keys.rows[recipient].due_at = NOON
            one.ring()
            await until(lambda: keys.rows[recipient].detail != "")  # noqa: B023
        assert one.ails == "credentials"
        assert gauge("sms") == 0
        keys.rows[AILING].due_at = NOON
        one.ring()
        await until(lambda: keys.rows[AILING].state == "sent")
    assert one.ails == ""
    assert gauge("sms") == 1


async def test_numbers_that_do_not_exist_say_nothing_about_the_carrier(
    keys: MemoryKeys, spool: Mails
) -> None:
    for recipient in range(AILING * 2):
        keys.add(Way.SMS, recipient=recipient)
    one = line(Scripted(failing(NotSent(Why.REFUSED_NUMBER, final=True))), keys, spool)
    async with running(one):
        await until(lambda: all(row.state == "failed" for row in keys.rows.values()))
    assert one.ails == ""


async def test_a_key_is_in_no_log_and_no_metric(keys: MemoryKeys, spool: Mails) -> None:
    logs: list[MutableMapping[str, Any]]
    with capture_logs() as logs:
        for error in (None, NotSent(Why.ANSWER), StoreUnavailable(KEY), ValueError(KEY), KeyError(NUMBER)):
            keys.add(Way.SMS, to=NUMBER)
            channel = Scripted(fine if error is None else failing(error))
            async with running(line(channel, keys, spool)):
                await until(lambda: bool(channel.seen))  # noqa: B023
                await asyncio.sleep(0.01)
    told = repr(logs) + metrics.render().decode()
    assert {each["event"] for each in logs} >= {"key-sent", "key-not-sent", "key-waits", "key-error"}
    assert KEY not in told
    assert NUMBER[-8:] not in told
    assert KEY not in repr(keys.rows[0].sending)


def gauge(way: str) -> float | None:
    return metrics.REGISTRY.get_sample_value("sekisho_key_channel_works", {"way": way})
