"""The worker that sends keys: a line for each way that sends, and a look now and then at what became of second mails.

Any number of nodes may run one: what is sent is leased in the store. Without a key that is due it costs one small question to
the store every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

import structlog

from gateway import metrics
from gateway.channels.contract import Why
from gateway.channels.directory import Directory
from gateway.channels.line import Line, Sendings
from gateway.channels.receipts import Receipted
from gateway.channels.registry import Channels
from gateway.clock import Clock
from gateway.policy.protection import Way
from gateway.spool.contract import Spool, StoreUnavailable, UnknownMessage

MAIL_SLOTS = 4  # second mails written at once
LOOK_AT_MAILS = timedelta(seconds=20)  # between two looks at the second mails that this process has spooled
ASK_FOR_MAILS = 30  # looks, and those of others are asked for: of a process that is gone, or of another node
MAILS = 1000  # asked for in one go
READ_DIRECTORY = timedelta(seconds=5)  # between two looks at the directory file

log = structlog.get_logger()


class Keys(Sendings, Receipted, Protocol):
    """What of `spool.keys` (key_contract.py) the worker needs."""

    async def mailed(self, limit: int) -> Sequence[str]: ...


class ChannelWorker:
    """Run with `run()`. Nobody rings: a key that waits for the next look is not late, and mail without keys pays nothing."""

    def __init__(self, channels: Channels, keys: Keys, spool: Spool, clock: Clock, text_slots: int) -> None:
        self._channels = channels
        self._keys = keys
        self._clock = clock
        self._lines = {
            Way.SMS: Line(channels.sms, keys, spool, text_slots, clock),
            Way.SECOND_MAIL: Line(channels.second_mail, keys, spool, MAIL_SLOTS, clock),
        }

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

    async def look_at_mails(self, all_of_them: bool) -> None:
        """Write down what became of second mails; one of which nothing is known yet stays to be asked about again."""
        mails = self._channels.second_mail.under_way
        if all_of_them:
            mails.update(await self._keys.mailed(MAILS))
        for receipt in tuple(mails):
            try:
                arrived = await self._channels.second_mail.fate(receipt)
            except UnknownMessage:
                mails.discard(receipt)
                continue
            if arrived is not None and await self._write(receipt, arrived, self._clock()):
                mails.discard(receipt)

    async def _write(self, receipt: str, arrived: bool, now: datetime) -> bool:
        detail = "" if arrived else Why.BOUNCED.value
        known = await self._keys.receipted(receipt, arrived, detail, now)
        if known:
            outcome = "arrived" if arrived else "lost"
            metrics.KEY_RECEIPTS.labels(Way.SECOND_MAIL.value, outcome).inc()
        return known

    async def _look_at_mails(self) -> None:
        for look in count():
            try:
                await self.look_at_mails(look % ASK_FOR_MAILS == 0)
            except StoreUnavailable:
                log.warning("second-mails-unseen")
            except Exception as error:
                log.error("second-mails-error", error=type(error).__name__)
            await asyncio.sleep(LOOK_AT_MAILS.total_seconds())


async def keep_reading(directory: Directory) -> None:
    """Read the directory again when it changes, for ever; every process that takes mail in asks it."""
    while True:
        await asyncio.sleep(READ_DIRECTORY.total_seconds())
        try:
            await asyncio.to_thread(directory.refresh)
        except Exception as error:
            log.error("directory.unread", error=type(error).__name__)
