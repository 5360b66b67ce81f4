"""The worker that sends keys: a line for each way that sends, and a look now and then at what became of second mails.

Any number of nodes may run one: what is sent is leased in the store. Without a key that is due it costs one small question to
the store every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from gateway import metrics
from gateway.channels.contract import Why
from gateway.channels.line import Line, Sendings
from gateway.channels.receipts import Receipted
from gateway.channels.registry import Channels
from gateway.clock import Clock
from gateway.policy.protection import Way
from gateway.spool.contract import Spool, StoreUnavailable, UnknownMessage

MAIL_SLOTS = 4  # second mails written at once
LOOK_AT_MAILS = timedelta(seconds=20)  # between two looks at second mails that were spooled
MAILS = 200  # looked at in one go
READ_DIRECTORY = timedelta(seconds=5)  # between two looks at the directory file

log = structlog.get_logger()


class Keys(Sendings, Receipted, Protocol):
    """What of `spool.keys` (key_contract.py) the worker needs."""

    async def mailed(self, limit: int) -> Sequence[str]: ...


class ChannelWorker:
    """Run with `run()`; `ring()` says that a key may be due."""

    def __init__(self, channels: Channels, keys: Keys, spool: Spool, clock: Clock, text_slots: int) -> None:
        self._channels = channels
        self._keys = keys
        self._clock = clock
        self._lines = {
            Way.SMS: Line(channels.sms, keys, spool, text_slots, clock),
            Way.SECOND_MAIL: Line(channels.second_mail, keys, spool, MAIL_SLOTS, clock),
        }

    def ring(self) -> None:
        """Say that a key may be due; from the loop's own thread."""
        for line in self._lines.values():
            line.ring()

    @property
    def ails(self) -> str:
        """Return what is wrong with the channels as far as the last attempts tell, empty for nothing."""
        said = [f"{way.value}: {line.ails}" for way, line in self._lines.items() if line.ails]
        if self._channels.directory.problems is not None:
            said.append("the directory of telephone numbers is broken; see the log")
        return "; ".join(said)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(line.run())
            group.create_task(self._look_at_mails())
            group.create_task(self._read_directory())

    async def look_at_mails_once(self) -> None:
        """Write down what became of second mails; one of which nothing is known yet is asked about again."""
        for receipt in await self._keys.mailed(MAILS):
            try:
                arrived = await self._channels.second_mail.fate(receipt)
            except UnknownMessage:
                continue
            if arrived is not None:
                await self._write(receipt, arrived, self._clock())

    async def _write(self, receipt: str, arrived: bool, now: datetime) -> None:
        detail = "" if arrived else Why.BOUNCED.value
        if await self._keys.receipted(receipt, arrived, detail, now):
            outcome = "arrived" if arrived else "lost"
            metrics.KEY_RECEIPTS.labels(Way.SECOND_MAIL.value, outcome).inc()

    async def _look_at_mails(self) -> None:
        while True:
            try:
                await self.look_at_mails_once()
            except StoreUnavailable:
                log.warning("second-mails-unseen")
            except Exception as error:
                log.error("second-mails-error", error=type(error).__name__)
            await asyncio.sleep(LOOK_AT_MAILS.total_seconds())

    async def _read_directory(self) -> None:
        while True:
            await asyncio.sleep(READ_DIRECTORY.total_seconds())
            try:
                await asyncio.to_thread(self._channels.directory.refresh)
            except Exception as error:
                log.error("directory.unread", error=type(error).__name__)
