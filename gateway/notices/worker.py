"""The worker that empties the outbox: has each waiting notice composed and spools it as a mail of our own.

A notice is spooled and its row deleted in one transaction, so a crash writes none twice and loses none. A
notice that cannot be written (its message is gone, its address is none) is dropped; a composer that fails
is tried again a few times while the others go on; a store that fails is waited for. Nothing here may stop
the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.message.address import AddressError
from gateway.notices.aside import Aside, NoThread
from gateway.notices.compose import Composer
from gateway.notices.own import own_mail
from gateway.spool.contract import (
    BodyUnreadable,
    NewMessage,
    Notice,
    NoticeKind,
    Spool,
    StoreUnavailable,
    UnknownMessage,
)

BATCH = 50  # notices taken at once: small, so that a hold notice never waits behind a flood
IDLE = timedelta(seconds=5)  # how long a notice waits at most when nobody rang
MAX_TRIES = 5  # times a failing composer is asked before its notice is dropped
RETRY = timedelta(minutes=1)  # before the second try; it doubles
COMPOSE_S = 30.0  # a composer that takes longer hangs: its thread is given up and its notice tried again
LOST_THREADS = 4  # given up and still running, in all; beyond that nothing is composed until one of them ends
STORE_FAILURES = 5  # notices in a row that the store fails before the rest of a batch waits
STORE_RETRY = timedelta(seconds=15)  # before a notice that the store failed is looked at again

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Failure:
    tries: int
    not_before: datetime


class NoticeWorker:
    """Run with `run()`; `ring()` says that there is something to do; `wake` is called after own mail was
    spooled."""

    def __init__(
        self,
        spool: Spool,
        composers: Mapping[NoticeKind, Composer],
        clock: Clock,
        hostname: str,
        wake: Callable[[], None],
        patience: float = COMPOSE_S,
    ) -> None:
        self._spool = spool
        self._composers = composers
        self._clock = clock
        self._hostname = hostname
        self._wake = wake
        self._bell = asyncio.Event()
        self._failures: dict[int, _Failure] = {}
        self._aside = Aside(patience, LOST_THREADS)

    def ring(self) -> None:
        """Say that a notice may be waiting; from the loop's own thread."""
        self._bell.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._bell.clear()
            if await self.run_once():
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), IDLE.total_seconds())

    async def run_once(self) -> int:
        """Handle one batch; return how many notices left the outbox. Only cancellation gets out of here."""
        finished = 0
        try:
            # Failing notices are the oldest and would fill the batch: fetch past them. Their number is
            # bounded by MAX_TRIES.
            waiting = await self._spool.pending_notices(BATCH + len(self._failures))
            self._forget({notice.notice_id for notice in waiting})
            unstored = 0
            for notice in waiting:
                try:
                    finished += await self._handle(notice)
                    unstored = 0
                except StoreUnavailable:
                    self._put_off(notice)
                    unstored += 1
                    if unstored == STORE_FAILURES:
                        raise
        except StoreUnavailable:
            log.warning("notices-store-unavailable")
        except Exception:
            log.exception("notices-error")
        return finished

    async def _handle(self, notice: Notice) -> bool:
        failure = self._failures.get(notice.notice_id)
        if failure is not None and self._clock() < failure.not_before:
            return False
        try:
            mail = await self._compose(notice)
        except StoreUnavailable:
            raise
        except NoThread:
            log.error("notices-composers-hang", queue_id=notice.queue_id, lost=LOST_THREADS)
            self._put_off(notice)
            return False
        except (UnknownMessage, AddressError) as error:
            return await self._finish(notice, None, type(error).__name__)
        except Exception:
            return await self._failed(notice)
        return await self._finish(notice, mail, "nothing to tell")

    async def _compose(self, notice: Notice) -> NewMessage | None:
        message = await self._spool.get(notice.queue_id)
        if message.unreadable:
            raise ValueError("the stored envelope or decision cannot be read")
        try:
            raw: bytes | None = await self._spool.raw(notice.queue_id)
        except BodyUnreadable:
            raw = None
        # A thread: reading a large original for its attachments takes time that the event loop has not got.
        octets = await self._aside.run(partial(self._composers[notice.kind], message, notice, raw))
        if octets is None:
            return None
        return own_mail(message, notice, octets, self._hostname, self._clock())

    async def _finish(self, notice: Notice, mail: NewMessage | None, why_not: str) -> bool:
        own_id = await self._spool.finish_notice(notice, mail)
        self._failures.pop(notice.notice_id, None)
        if mail is None:
            log.info("notice-dropped", queue_id=notice.queue_id, kind=notice.kind.value, why=why_not)
            return True
        metrics.NOTICES.labels(notice.kind.value).inc()
        log.info("notice-written", queue_id=notice.queue_id, kind=notice.kind.value, own_id=own_id)
        self._wake()
        return True

    async def _failed(self, notice: Notice) -> bool:
        before = self._failures.get(notice.notice_id)
        tries = before.tries + 1 if before else 1
        log.exception("notice-failed", queue_id=notice.queue_id, kind=notice.kind.value, tries=tries)
        if tries >= MAX_TRIES:
            return await self._finish(notice, None, "failed too often")
        self._failures[notice.notice_id] = _Failure(tries, self._clock() + RETRY * 2 ** (tries - 1))
        return False

    def _put_off(self, notice: Notice) -> None:
        """Let the others pass this one, which is not to blame, for a moment."""
        before = self._failures.get(notice.notice_id)
        tries = before.tries if before else 0
        self._failures[notice.notice_id] = _Failure(tries, self._clock() + STORE_RETRY)

    def _forget(self, waiting: set[int]) -> None:
        self._failures = {key: value for key, value in self._failures.items() if key in waiting}
