"""The worker: every notice leaves the outbox once, and neither a bad notice nor a bad store stops the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from gateway.message.address import parse_path
from gateway.notices.aside import Aside, NoThread
from gateway.notices.compose import Composer, Composers
from gateway.notices.failures import MAX_TRIES
from gateway.notices.own import OWN_DIGEST, own_letter
from gateway.notices.together import Many
from gateway.notices.worker import BATCH, NoticeWorker
from gateway.policy.demands import Demands, Form, Language
from gateway.policy.stored_decision import from_json, to_json
from gateway.spool.contract import StoreUnavailable
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import Stored
from tests.memory_spool import NOON, SENDER, MemorySpool, hold
from tests.notices.conftest import notice, read_back

OTHER = "other@sports.example.jp"
OUT = ("sato@example.com", "suzuki@example.net")


class Scene:
    """A worker over a spool in memory, with a clock to move and a count of wake-ups."""

    def __init__(self, spool: MemorySpool, many: Many, composers: dict[NoticeKind, Composer]) -> None:
        self.now = NOON
        self.woken = 0
        self.awake = asyncio.Event()
        self.worker = NoticeWorker(
            spool.door(), composers, many, self._clock, "mx.sports.example.jp", self._wake
        )

    def _clock(self) -> datetime:
        return self.now

    def _wake(self) -> None:
        self.woken += 1
        self.awake.set()


@pytest.fixture
def scene(spool: MemorySpool, composers: Composers) -> Scene:
    return Scene(spool, composers, dict(composers.by_kind()))


async def test_a_notice_becomes_a_mail_of_our_own(spool: MemorySpool, scene: Scene) -> None:
    hold(spool, "Q1", OUT)
    spool.outbox.append(notice())
    assert await scene.worker.run_once() == 1
    (mail,) = spool.spooled
    assert mail.envelope.sender is None
    assert [str(address) for address in mail.envelope.recipients] == [SENDER]
    assert (mail.from_gateway, mail.about) == (True, "Q1")
    assert mail.decision.of(0).demands == Demands()
    assert not mail.decision.of(0).external
    assert not mail.decision.notify_sender
    assert read_back(mail.raw)["Subject"].startswith("【送信保留】")
    assert spool.outbox == []
    assert scene.woken == 1


def test_the_decision_on_own_mail_changes_nothing_and_survives_storing() -> None:
    to = parse_path("clerk@contractor.example.com")
    decision = own_letter(to, b"", "mx.example.jp", NOON, external=True, language=Language.EN).decision
    assert decision.digest == OWN_DIGEST
    assert decision.of(0).demands.form is Form.ORIGINAL
    assert from_json(to_json(decision), decision.assigned) == decision


async def test_a_sender_outside_gets_the_hold_notice(spool: MemorySpool, scene: Scene) -> None:
    hold(spool, "Q1", OUT)
    spool.outbox.append(notice(to="clerk@contractor.example.com"))
    await scene.worker.run_once()
    assert spool.spooled[0].decision.of(0).external


@pytest.mark.parametrize(
    "bad",
    [
        notice(queue_id="GONE"),
        notice(NoticeKind.COPY, to="nobody"),
        notice(NoticeKind.COPY, to="stranger@example.com"),
    ],
)
async def test_what_cannot_be_written_is_dropped(spool: MemorySpool, scene: Scene, bad: Notice) -> None:
    hold(spool, "Q1", OUT)
    spool.outbox += [bad, notice(notice_id=8, to=OTHER)]
    assert await scene.worker.run_once() == 2
    assert [mail is None for _, mail in spool.finished] == [True, False]
    assert scene.woken == 1


async def test_an_unreadable_original_is_no_reason_for_silence(spool: MemorySpool, scene: Scene) -> None:
    hold(spool, "Q1", OUT)
    del spool.bodies["Q1"]
    spool.outbox.append(notice())
    await scene.worker.run_once()
    assert len(spool.spooled) == 1


async def test_a_composer_that_hangs_keeps_nobody_waiting(spool: MemorySpool, composers: Composers) -> None:
    hold(spool, "Q1", OUT)
    hanging = threading.Event()

    def hang(*_: object) -> bytes | None:
        hanging.wait()
        return None

    worker = NoticeWorker(
        spool.door(),
        {**composers.by_kind(), NoticeKind.COPY: hang},
        composers,
        lambda: NOON,
        "mx.sports.example.jp",
        lambda: None,
        patience=1.0,
    )
    spool.outbox += [notice(NoticeKind.COPY, notice_id=number) for number in range(2)]
    spool.outbox.append(notice(notice_id=99))
    try:
        assert await worker.run_once() == 1
        assert [done.notice_id for done, _ in spool.finished] == [99]
    finally:
        hanging.set()


async def test_more_composers_than_may_hang_are_not_started(spool: MemorySpool, composers: Composers) -> None:
    aside, hanging = Aside(0.02, 1), threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await aside.run(hanging.wait)
    with pytest.raises(NoThread):
        await aside.run(lambda: 1)
    hanging.set()
    while True:
        try:
            assert await aside.run(lambda: 1) == 1
            break
        except NoThread:
            await asyncio.sleep(0.01)


async def test_a_notice_that_the_store_fails_does_not_starve_the_others(
    spool: MemorySpool, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(spool, "Q1", OUT)
    hold(spool, "BAD", OUT)
    get = spool.get

    async def failing(queue_id: str) -> Stored:
        if queue_id == "BAD":
            raise StoreUnavailable("a bad sector")
        return await get(queue_id)

    monkeypatch.setattr(spool, "get", failing)
    spool.outbox += [notice(NoticeKind.COPY, "BAD", notice_id=number) for number in range(1, BATCH + 11)]
    spool.outbox.append(notice(notice_id=999))
    for _ in range(BATCH):
        await scene.worker.run_once()
    assert [done.notice_id for done, _ in spool.finished] == [999]
    assert len(spool.outbox) == BATCH + 10


async def test_a_failing_store_loses_nothing(spool: MemorySpool, scene: Scene) -> None:
    hold(spool, "Q1", OUT)
    spool.outbox.append(notice())
    spool.down = True
    assert await scene.worker.run_once() == 0
    assert len(spool.outbox) == 1
    spool.down = False
    assert await scene.worker.run_once() == 1


def failing_for(bad: str, composers: Composers) -> Callable[[Stored, Notice, bytes | None], bytes | None]:
    def compose(message: Stored, asked: Notice, raw: bytes | None) -> bytes | None:
        if asked.queue_id == bad:
            raise RuntimeError("a bug")
        return composers.hold(message, asked, raw)

    return compose


async def test_a_bug_in_a_composer_does_not_wedge_the_outbox(
    spool: MemorySpool, composers: Composers
) -> None:
    hold(spool, "BAD", OUT)
    hold(spool, "Q1", OUT)
    scene = Scene(spool, composers, {NoticeKind.COPY: failing_for("BAD", composers)})
    spool.outbox += [notice(NoticeKind.COPY, "BAD", notice_id=number) for number in range(1, BATCH + 1)]
    spool.outbox.append(notice(NoticeKind.COPY, notice_id=BATCH + 1))
    assert await scene.worker.run_once() == 0  # a whole batch of bad ones stands before the good one
    assert await scene.worker.run_once() == 1
    assert len(spool.spooled) == 1


async def test_a_failing_notice_is_tried_a_few_times_with_growing_pauses_and_then_dropped(
    spool: MemorySpool, composers: Composers
) -> None:
    hold(spool, "BAD", OUT)
    tries: list[datetime] = []

    def compose(message: Stored, asked: Notice, raw: bytes | None) -> bytes | None:
        tries.append(here.now)
        raise RuntimeError("a bug")

    here = Scene(spool, composers, {NoticeKind.HOLD: compose})
    spool.outbox.append(notice(queue_id="BAD"))
    for _ in range(60):
        await here.worker.run_once()
        here.now += timedelta(minutes=1)
    assert len(tries) == MAX_TRIES
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert spool.finished == [(notice(queue_id="BAD"), None)]


async def test_a_kind_without_a_composer_is_such_a_bug(spool: MemorySpool, composers: Composers) -> None:
    hold(spool, "Q1", OUT)
    scene = Scene(spool, composers, {})
    spool.outbox.append(notice(NoticeKind.FAILED))
    assert await scene.worker.run_once() == 0
    assert len(spool.outbox) == 1


async def test_it_runs_when_rung_and_stops_when_cancelled(spool: MemorySpool, scene: Scene) -> None:
    hold(spool, "Q1", OUT)
    task = asyncio.create_task(scene.worker.run())
    await asyncio.sleep(0)
    spool.outbox.append(notice())
    scene.worker.ring()
    async with asyncio.timeout(4):  # sooner than it would look by itself
        await scene.awake.wait()
    assert len(spool.spooled) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
