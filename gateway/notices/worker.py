"""The worker that empties the outbox: has each waiting notice written and spooled as a mail of our own.

A notice is spooled and its row deleted in one transaction, so a crash writes none twice and loses none. Hold notices that
come in a burst are told of in one letter (docs/decisions/0041-letters-of-many.md). A notice that cannot be written (its
message is gone, its address is none) is dropped; a composer that fails is tried again a few times while the others go on; a
store that fails is waited for. Nothing here may stop the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.notices.aside import Aside, NoThread
from gateway.notices.bursts import Bursts
from gateway.notices.compose import Composer
from gateway.notices.failures import MAX_TRIES, STORE_RETRY, Failures
from gateway.notices.pace import Pace
from gateway.notices.signing import Sign
from gateway.notices.together import Many
from gateway.notices.writing import ToldElsewhere, Writer
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.second_look import SOMEBODY

# Notices taken at once: what a look finds in a burst, and few enough that no hold notice waits long.
BATCH = 200
LETTERS = 4  # of many, written between two looks for the same reason
IDLE = timedelta(seconds=5)  # how long a notice waits at most when nobody rang
GATHER = timedelta(milliseconds=500)  # between two looks in a burst, so that a look finds more than one
LOOK_BACK = timedelta(seconds=30)  # between two looks at all rows: other processes write and finish some too
COMPOSE_S = 30.0  # a composer that takes longer hangs: its thread is given up and its notice tried again
LOST_THREADS = 4  # given up and still running, in all; beyond that nothing is composed until one of them ends
STORE_FAILURES = 5  # notices in a row that the store fails before the rest of a batch waits

log = structlog.get_logger()


class NoticeWorker:
    """Run with `run()`; `ring()` says that there is something to do; `wake` is called after own mail was
    spooled."""

    def __init__(
        self,
        spool: Spool,
        composers: Mapping[NoticeKind, Composer],
        many: Many,
        clock: Clock,
        hostname: str,
        wake: Callable[[], None],
        patience: float = COMPOSE_S,
        sign: Sign = lambda mail: mail,
        own_address: str = "",
    ) -> None:
        self._spool = spool
        self._clock = clock
        aside = Aside(patience, LOST_THREADS)
        self._writer = Writer(spool, composers, many, clock, hostname, wake, aside, sign, own_address)
        self._bell = asyncio.Event()
        self._bursts = Bursts()
        self._failures = Failures()
        self._pace = Pace()
        self._look_back_at: datetime | None = None  # None: at once
        self._more = False

    def ring(self) -> None:
        """Say that a notice may be waiting; from the loop's own thread."""
        self._bell.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._bell.clear()
            if await self.run_once() or self._more:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause().total_seconds()):
                    await self._bell.wait()
            if self._bursts.next_due() is not None:
                await asyncio.sleep(min(GATHER, self._pause()).total_seconds())

    async def run_once(self) -> int:
        """Handle one batch and the letters that are due; return how many notices left the outbox.

        Only cancellation gets out of here.
        """
        before = self._writer.finished
        self._more = False
        try:
            await self._handle_each(await self._look())
            await self._write_letters()
        except (StoreUnavailable, NoThread) as error:
            self._look_back_at = None
            log.warning("notices-wait", cause=type(error).__name__)
        except Exception:
            self._look_back_at = None
            log.exception("notices-error")
        return self._writer.finished - before

    def _pause(self) -> timedelta:
        due = self._bursts.next_due()
        return IDLE if due is None else max(timedelta(0), min(IDLE, due - self._clock()))

    async def _look(self) -> Sequence[Notice]:
        """Return failed notices whose time has come, and those not known yet.

        What is known is collected or has failed, and stays in the outbox: no look but a rare one reads it again.
        """
        now = self._clock()
        known = {*self._bursts.waiting, *self._failures.ids}
        back = self._look_back_at is None or not self._look_back_at - LOOK_BACK <= now < self._look_back_at
        if back:
            found = await self._spool.notices.pending(BATCH + len(known))
            self._forget(known - {notice.notice_id for notice in found})
            self._look_back_at = now + LOOK_BACK
        else:
            found = await self._spool.notices.pending(BATCH, max(known, default=0))
        new = [notice for notice in found if notice.notice_id not in known]
        self._more = len(new) >= BATCH
        return [*self._failures.due(now), *new]

    async def _handle_each(self, notices: Sequence[Notice]) -> None:
        unstored = 0
        failed = {*self._failures.ids}
        for notice in notices:
            now = self._clock()
            first_time = notice.notice_id not in failed
            by_time = (
                notice.kind is NoticeKind.HOLD
                and notice.hold_ends is not None
                and notice.hold_ends < SOMEBODY
            )
            if first_time and by_time and self._bursts.add(notice, now):
                continue
            try:
                await self._handle(notice)
                unstored = 0
            except StoreUnavailable:
                self._failures.put_off(notice, now)
                unstored += 1
                if unstored == STORE_FAILURES:
                    raise

    async def _handle(self, notice: Notice) -> None:
        if (wait := self._pace.wait(notice, self._clock())) is not None:
            return await self._too_many(notice, wait)
        try:
            await self._writer.write(notice)
        except StoreUnavailable:
            raise
        except NoThread:
            log.error("notices-composers-hang", queue_id=notice.queue_id, lost=LOST_THREADS)
            self._failures.put_off(notice, self._clock())
        except ToldElsewhere:
            self._told_elsewhere([notice])
        except Exception:
            await self._failed(notice)
        else:
            self._failures.forget([notice.notice_id])

    async def _too_many(self, notice: Notice, wait: timedelta) -> None:
        """Write a notice later whose reader has had enough for now."""
        metrics.NOTICES_PUT_OFF.inc()
        if self._failures.full:
            await self._writer.drop([notice], "too many for one person")
            self._failures.forget([notice.notice_id])
        else:
            self._failures.put_off(notice, self._clock(), wait)

    async def _failed(self, notice: Notice) -> None:
        tries = self._failures.failed(notice, self._clock())
        log.exception("notice-failed", queue_id=notice.queue_id, kind=notice.kind.value, tries=tries)
        if tries >= MAX_TRIES:
            await self._writer.drop([notice], "failed too often")
            self._failures.forget([notice.notice_id])

    async def _write_letters(self) -> None:
        for _ in range(LETTERS):
            if not (notices := self._bursts.next_letter(self._clock())):
                return
            await self._write_letter({notice.notice_id: notice for notice in notices})
        self._more = True

    async def _write_letter(self, left: dict[int, Notice]) -> None:
        """Have a letter written; where it cannot be, its notices wait for the store or are tried one by one."""
        try:
            await self._writer.write_together(left)
        except (StoreUnavailable, NoThread):
            now = self._clock()
            self._bursts.put_back(left.values(), now, now + STORE_RETRY)
            raise
        except ToldElsewhere:
            self._told_elsewhere(left.values())
        except Exception:
            log.exception("notices-letter-failed", mails=len(left))
            self._single_out(left.values())
        else:
            self._single_out(left.values())

    def _single_out(self, notices: Collection[Notice]) -> None:
        for notice in notices:
            self._failures.single_out(notice, self._clock())
            self._more = True

    def _told_elsewhere(self, notices: Collection[Notice]) -> None:
        """Forget notices of which one at least is in the outbox no more; the next look finds the others."""
        log.info("notices-told-elsewhere", queue_ids=[notice.queue_id for notice in notices])
        self._forget({notice.notice_id for notice in notices})
        self._look_back_at = None

    def _forget(self, gone: set[int]) -> None:
        self._bursts.forget(gone)
        self._failures.forget(gone)
