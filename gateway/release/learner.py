"""Keeps what is known of earlier mail up to date: learns from what was delivered, and forgets what is not to be kept.

It learns only while some rule asks who wrote to whom. Nobody waits for it: mail is accepted and delivered without it, and
what it has not learned yet is in doubt. Any number of processes may run it; each delivery is learned once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from gateway.clock import Clock
from gateway.spool.contract import StoreUnavailable
from gateway.spool.knowledge import Knowledge

ROUND_S = 5.0  # seconds between two looks for new deliveries
PAUSE_S = 0.05  # seconds between two batches while there is more: mail goes first
TROUBLE_S = 60.0  # seconds after a failure
FORGET_S = 600.0  # seconds between two looks for what is not to be kept
WORTH_TELLING = 5_000  # events
FORGET_BATCH = 500  # rows of each kind in one transaction; a full batch is followed by another

log = structlog.get_logger()


class Learner:
    """Run with `run()`. `asked` tells whether a rule asks who wrote to whom."""

    def __init__(
        self, knowledge: Knowledge, asked: Callable[[], bool], clock: Clock, unused_for: timedelta
    ) -> None:
        self._knowledge = knowledge
        self._asked = asked
        self._clock = clock
        self._unused_for = unused_for
        self._forget_at = float("-inf")
        self._learned = 0  # events, since nothing was left to learn

    async def run(self) -> None:
        """Work until cancelled; a failure makes it pause, never stop."""
        while True:
            pause = await self.round()
            await asyncio.sleep(pause)

    async def round(self) -> float:
        """Do what is due, a batch at most; return how many seconds may pass until the next."""
        try:
            more_to_forget = await self._forget()
            more_to_learn = self._asked() and await self._learn()
            return PAUSE_S if more_to_forget or more_to_learn else ROUND_S
        except StoreUnavailable as error:
            log.warning("learning.store-unavailable", error=str(error))
        except Exception:
            log.exception("learning.failed")
        return TROUBLE_S

    async def _learn(self) -> bool:
        """Learn a batch; tell whether there may be more. The end of a long time of learning is worth a line in the log."""
        events = await self._knowledge.learn()
        self._learned += events
        if not events:
            if self._learned >= WORTH_TELLING:
                log.info("learning.caught-up", events=self._learned)
            self._learned = 0
        return events > 0

    async def _forget(self) -> bool:
        """Forget a batch where it is time; tell whether there may be more."""
        now = asyncio.get_running_loop().time()
        if now < self._forget_at:
            return False
        full = await self._knowledge.forget(self._clock(), self._unused_for, FORGET_BATCH) >= FORGET_BATCH
        self._forget_at = now if full else now + FORGET_S
        return full
