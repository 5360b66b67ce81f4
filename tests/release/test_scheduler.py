"""The loop, over a fake spool and a clock that tests turn by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands
from gateway.release.housekeeping import BATCH, Housekeeping
from gateway.release.scheduler import CLAIMS_PER_PLACE, EXPRESS_OCTETS, LEASE, Scheduler
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.lifecycle import State
from gateway.spool.values import Claim, Recipient, Stored

T0 = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Clock:
    now: datetime = T0

    def __call__(self) -> datetime:
        return self.now


@dataclass
class FakeSpool:
    """Holds and queued recipients as lists of due times; every verb is counted."""

    held: list[datetime] = field(default_factory=list)
    queued: list[datetime] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    failures: int = 0
    error: Exception = field(default_factory=lambda: StoreUnavailable("to order"))
    expired: int = 0
    serial: int = 0
    passed_over: list[list[str]] = field(default_factory=list)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failures:
            self.failures -= 1
            raise self.error

    @property
    def consents(self) -> FakeSpool:
        """Return the same: what is counted has one list."""
        return self

    @property
    def ageing(self) -> FakeSpool:
        return self

    async def next_due(self) -> datetime | None:
        self._call("next_due")
        return min([*self.held, *self.queued], default=None)

    async def pass_deadlines(self, now: datetime, limit: int) -> int:
        return 0

    async def release_due(self, now: datetime, limit: int) -> int:
        self._call("release_due")
        due = sorted(at for at in self.held if at <= now)[:limit]
        for at in due:
            self.held.remove(at)
            self.queued.append(now)
        return len(due)

    async def claim(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
        share: int | None = None,
        crowded: Collection[str] = (),
    ) -> Sequence[Claim]:
        self._call("claim")
        self.passed_over.append(sorted(crowded))
        due = sorted(at for at in self.queued if at <= now)[:limit]
        for at in due:
            self.queued.remove(at)
        return [self.leased(now + lease) for _ in due]

    def leased(self, until: datetime) -> Claim:
        self.serial += 1
        person = Address("a", "example.com")
        row = Recipient(0, person, True, State.ACTIVE, None, 1)
        envelope = Envelope(None, (person,), Client("192.0.2.1"))
        decision = Decision("d", (Outcome(True, Demands()),), (0,))
        return Claim(Stored(f"Q{self.serial}", envelope, decision, T0, "", 1, False, (row,)), "lease", until)

    async def recover(self, now: datetime) -> int:
        self._call("recover")
        return 0

    async def expire(self, now: datetime, older_than: timedelta, limit: int) -> int:
        self._call("expire")
        return self.expired

    async def delay_notices(self, now: datetime, older_than: timedelta, limit: int) -> int:
        self._call("delay_notices")
        return 0

    async def purge(
        self, now: datetime, bodies_after: timedelta, records_after: timedelta, limit: int
    ) -> int:
        self._call("purge")
        return 0

    @property
    def shares(self) -> FakeSpool:
        return self

    async def end_expired(self, now: datetime, limit: int) -> int:
        return 0

    @property
    def lists(self) -> FakeSpool:
        return self

    async def catch_up(self, limit: int) -> int:
        return 0

    async def look_over(self, limit: int) -> int:
        return 0


@dataclass
class Stage:
    spool: FakeSpool
    clock: Clock
    scheduler: Scheduler
    done: list[str]
    gate: asyncio.Event
    rings: list[int]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.done) < count:  # noqa: ASYNC110 (what is waited for is a list)
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def stage(*, concurrency: int = 5, running: bool = True) -> AsyncIterator[Stage]:
    spool, clock, done, rings = FakeSpool(), Clock(), [], []
    gate = asyncio.Event()
    gate.set()

    async def handle(claim: Claim, until: float, raw: bytes | None) -> None:
        await gate.wait()
        done.append(claim.message.queue_id)

    housekeeping = Housekeeping(
        cast(Spool, spool),
        give_up_after=5 * DAY,
        delay_notice_after=DAY,
        bodies_after=DAY,
        records_after=DAY,
        ring=lambda: rings.append(1),
    )
    scheduler = Scheduler(cast(Spool, spool), handle, clock, housekeeping, concurrency=concurrency)
    loop = asyncio.create_task(scheduler.run()) if running else None
    await asyncio.sleep(0)
    try:
        yield Stage(spool, clock, scheduler, done, gate, rings)
    finally:
        gate.set()
        await scheduler.stop(1)
        if loop is not None:
            await loop


async def test_a_due_hold_leaves_and_an_undue_one_stays() -> None:
    async with stage() as it:
        it.spool.held = [T0, T0 + timedelta(minutes=10)]
        it.scheduler.wake()
        await it.until(1)
        assert it.spool.held == [T0 + timedelta(minutes=10)]
        it.clock.now = T0 + timedelta(minutes=10)
        await it.until(2)  # by itself, within a tick: nobody rings when time passes


async def test_the_clock_set_back_delays_but_loses_nothing() -> None:
    async with stage() as it:
        it.clock.now = T0 - timedelta(days=2)
        it.spool.held = [T0]
        it.scheduler.wake()
        await asyncio.sleep(0.05)
        assert it.done == []
        it.clock.now = T0 + timedelta(seconds=1)
        await it.until(1)


async def test_nothing_is_written_while_nothing_is_due() -> None:
    async with stage(running=False) as it:
        it.spool.held = [T0 + timedelta(hours=1)]
        await it.scheduler.tick()
        it.spool.calls.clear()
        assert await it.scheduler.tick() == 1.0
        assert it.spool.calls == ["next_due"]


async def test_the_wait_ends_at_the_due_time() -> None:
    async with stage(running=False) as it:
        it.spool.held = [T0 + timedelta(seconds=0.25)]
        assert await it.scheduler.tick() == pytest.approx(0.25)


async def test_leases_are_bounded_and_refilled() -> None:
    async with stage(concurrency=2) as it:
        it.gate.clear()
        bound = 2 * CLAIMS_PER_PLACE
        it.spool.queued = [T0] * (bound + 7)
        it.scheduler.wake()
        await asyncio.sleep(0.1)
        assert it.spool.serial == bound
        assert len(it.spool.queued) == 7
        it.gate.set()
        await it.until(bound + 7)


@pytest.mark.parametrize("error", [StoreUnavailable("disk full"), KeyError("a bug")])
async def test_a_failing_store_pauses_the_loop_and_does_not_end_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.release.scheduler.FIRST_PAUSE", 0.02)
    async with stage() as it:
        it.spool.error, it.spool.failures = error, 3
        it.spool.queued = [T0]
        it.scheduler.wake()
        await it.until(1)
        assert it.spool.failures == 0


async def test_a_handler_that_fails_does_not_end_the_loop() -> None:
    async with stage() as it:
        it.spool.queued = [T0]

        async def broken(claim: Claim, until: float, raw: bytes | None) -> None:
            raise KeyError("a bug")

        good, it.scheduler._handle = it.scheduler._handle, broken
        it.scheduler.wake()
        await asyncio.sleep(0.05)
        it.scheduler._handle = good
        it.spool.queued = [T0]
        it.scheduler.wake()
        await it.until(1)
        assert it.scheduler._leased == 0


async def test_housekeeping_runs_at_the_start_and_rings_for_notices() -> None:
    async with stage(running=False) as it:
        it.spool.expired = 1
        await it.scheduler.tick()
        assert it.spool.calls[:4] == ["recover", "expire", "delay_notices", "purge"]
        assert it.rings == [1]
        await it.scheduler.tick()
        assert it.spool.calls.count("expire") == 1


async def test_a_full_batch_of_expired_mail_is_followed_by_another() -> None:
    async with stage(running=False) as it:
        it.spool.expired = BATCH
        await it.scheduler.tick()
        await it.scheduler.tick()
        assert it.spool.calls.count("expire") == 2
        assert it.spool.calls.count("purge") == 1


async def test_stopping_lets_work_end_and_claims_no_more() -> None:
    async with stage() as it:
        it.gate.clear()
        it.spool.queued = [T0]
        it.scheduler.wake()
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(it.scheduler.stop(2))
        await asyncio.sleep(0.05)
        it.spool.queued = [T0]
        it.gate.set()
        await stopping
        assert it.done == ["Q1"]
        assert it.spool.queued == [T0]


async def test_stopping_ends_although_work_hangs() -> None:
    async with stage() as it:
        it.gate.clear()
        it.spool.queued = [T0]
        it.scheduler.wake()
        await asyncio.sleep(0.05)
        async with asyncio.timeout(3):
            await it.scheduler.stop(0.05)
        assert it.done == []


async def test_new_mail_leaves_at_once_where_there_is_room_and_nobody_waits() -> None:
    async with stage(running=False) as it:
        assert it.scheduler.reserve(1, 10) is None  # nobody has looked yet whether older mail waits
        await it.scheduler.tick()
        assert it.scheduler.reserve(1, 10) == LEASE
        it.scheduler.start(it.spool.leased(T0 + LEASE), b"octets")
        await it.until(1)
        assert it.done == ["Q1"]


async def test_work_abandoned_before_its_first_step_gives_its_places_back() -> None:
    async with stage(concurrency=1, running=False) as it:
        await it.scheduler.tick()
        for _ in range(12):  # more than there are places
            assert it.scheduler.reserve(1, EXPRESS_OCTETS) == LEASE
            it.scheduler.give_back(1, EXPRESS_OCTETS)
            assert it.scheduler.reserve(1, 6) == LEASE
            it.scheduler.start(it.spool.leased(T0 + LEASE), b"octets")
            it.scheduler.abandon()
            await asyncio.sleep(0.001)
        assert it.done == []


async def test_new_mail_does_not_overtake_when_the_places_are_taken() -> None:
    async with stage(concurrency=1, running=False) as it:
        await it.scheduler.tick()
        assert it.scheduler.reserve(6, 10) is None  # more than one mail's share
        assert it.scheduler.reserve(5, 10) == LEASE
        assert it.scheduler.reserve(5, 10) == LEASE
        assert it.scheduler.reserve(1, 10) is None
        it.scheduler.give_back(5, 10)
        assert it.scheduler.reserve(1, EXPRESS_OCTETS) is None  # more octets than may wait in memory
        assert it.scheduler.reserve(1, 10) == LEASE
