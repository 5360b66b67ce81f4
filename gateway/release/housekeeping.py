"""What has to be done to the spool now and then: lost leases, expiry, delay notices, deletion of what was
kept long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from gateway.spool.contract import Spool, StoreDamaged

# Seconds between two looks for what a dead gateway left; a look without a lease costs nothing.
RECOVER_ROUND = 5.0
DEADLINE_ROUND = 1.0  # seconds between two looks for mail that waited for people long enough; one without any costs nothing
DEADLINES = 50  # such mails in one transaction: one to thousands has thousands of rows to move
ROUND = 60.0  # seconds between two looks for expired mail and delays
PURGE_ROUND = 600.0  # seconds between two looks for mail to delete
LISTS_ROUND = (
    5.0  # seconds between two looks for lines of lists that are out of date; one without any costs nothing
)
LISTS = 200  # such lines in one transaction: some 20 ms for whoever waits behind it
BATCH = 500  # rows in one transaction; a full batch is followed by another in the next round of the loop


class Housekeeping:
    """Call `run` often; it knows itself what is due. `ring` is called when notices were put in the outbox."""

    def __init__(
        self,
        spool: Spool,
        *,
        give_up_after: timedelta,
        delay_notice_after: timedelta,
        bodies_after: timedelta,
        records_after: timedelta,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._spool = spool
        self._give_up_after = give_up_after
        self._delay_notice_after = delay_notice_after
        self._bodies_after = bodies_after
        self._records_after = records_after
        self._ring = ring
        self._next_deadlines = self._next_recovery = self._next_round = self._next_purge = float("-inf")
        self._next_lists = float("-inf")

    async def run(self, now: datetime) -> None:
        """Do what is due; raises StoreUnavailable. The intervals follow the loop's clock, which never
        steps."""
        time = asyncio.get_running_loop().time()
        if time >= self._next_recovery:
            await _past_damage(self._spool.recover(now))
            self._next_recovery = time + RECOVER_ROUND
        if time >= self._next_deadlines:
            passed = await _past_damage(self._spool.consents.pass_deadlines(now, DEADLINES))
            self._next_deadlines = time if passed >= DEADLINES else time + DEADLINE_ROUND
            if passed:
                self._ring()
        if time >= self._next_lists:
            listed = await _past_damage(self._spool.lists.catch_up(LISTS))
            self._next_lists = time if listed >= LISTS else time + LISTS_ROUND
        if time >= self._next_round:
            full = await _past_damage(self._round(now))
            self._next_round = time if full else time + ROUND
            await _past_damage(self._spool.shares.end_expired(now, BATCH))
        if time >= self._next_purge:
            touched = await _past_damage(
                self._spool.ageing.purge(now, self._bodies_after, self._records_after, BATCH)
            )
            await _past_damage(self._spool.lists.look_over(BATCH))
            self._next_purge = time if touched >= BATCH else time + PURGE_ROUND

    async def _round(self, now: datetime) -> bool:
        """Expire and give notice of delays; tell whether a batch was full."""
        expired = await self._spool.ageing.expire(now, self._give_up_after, BATCH)
        delayed = await self._spool.ageing.delay_notices(now, self._delay_notice_after, BATCH)
        if expired or delayed:
            self._ring()
        return max(expired, delayed) >= BATCH


async def _past_damage(work: Awaitable[int]) -> int:
    """Do without work that a damaged page stops: mail that can move must not wait for it. The store has told it."""
    try:
        return await work
    except StoreDamaged:
        return 0
