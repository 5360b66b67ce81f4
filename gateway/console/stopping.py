"""The POSTs by which a sender stops a mail or lets it go: what a verb answers is what the page says afterwards.

Acts only through the spool's verbs, and only on the message and as the person that the link names.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import structlog
from starlette.responses import Response

from gateway import metrics, rule_effects
from gateway.console import answers
from gateway.console.caller import Caller
from gateway.console.forms import chosen
from gateway.spool.contract import Change, StoreUnavailable, UnknownMessage
from gateway.spool.lifecycle import Reason
from gateway.spool.second_look import COMMENT

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HeldActs:
    """The two handlers."""

    async def cancel(self, caller: Caller) -> Response:
        """POST /m/{token}/cancel: `which=all`, or `which=ticked` with `recipient` for each."""
        whom = chosen(caller.fields)
        change = await self._cancel(caller, whom) if whom is None or whom else None
        if change is None or whom is not None:
            return caller.answer(answers.pack("cancel", change))
        at_once = answers.unheld(await caller.desk.spool.get(caller.queue_id), change)
        return caller.answer(answers.pack("cancel", change, at_once))

    async def release(self, caller: Caller) -> Response:
        """POST /m/{token}/release: likewise. What is firm of the window stays; the spool sees to that."""
        whom = chosen(caller.fields)
        because = dict(caller.fields).get("because", "").strip()[:COMMENT]
        if whom is not None and not whom:
            return caller.answer(answers.pack("release", None))
        change = await self._release(caller, whom, because)
        message = await caller.desk.spool.get(caller.queue_id)
        value = answers.pack("release", change) | answers.kept(message, change, because)
        return caller.answer(value)

    async def _cancel(self, caller: Caller, whom: Collection[int] | None) -> Change:
        desk, queue_id = caller.desk, caller.queue_id
        done = await desk.spool.cancel(queue_id, whom, caller.actor, Reason.BY_SENDER, desk.clock())
        change = await self._shown(caller, done)
        metrics.CANCELLED.labels(Reason.BY_SENDER.value).inc(len(change.done))
        await self._count(rule_effects.CANCELLED, caller, change)
        log.info("cancelled-by-sender", queue_id=queue_id, done=len(change.done), late=len(change.not_done))
        return change

    async def _release(self, caller: Caller, whom: Collection[int] | None, because: str) -> Change:
        spool, queue_id, now = caller.desk.spool, caller.queue_id, caller.desk.clock()
        done = await spool.release(queue_id, whom, caller.actor, Reason.BY_SENDER, now, because)
        change = await self._shown(caller, done)
        log.info("released-by-sender", queue_id=queue_id, done=len(change.done), late=len(change.not_done))
        await self._count(rule_effects.WAIVED, caller, change)
        return change

    async def _count(self, effect: str, caller: Caller, change: Change) -> None:
        """Count for the rules that held what the sender decided about; what was done is done, whether it is counted or not."""
        if not change.done:
            return
        with suppress(StoreUnavailable, UnknownMessage):
            decision = (await caller.desk.spool.get(caller.queue_id)).decision
            rules = {rule for index in change.done for rule in decision.of(index).rules}
            rule_effects.mails(effect, rule_effects.holding(rules))

    async def _shown(self, caller: Caller, change: Change) -> Change:
        """Return the change without the copies that a rule asked for: the sender does not hear of them."""
        with suppress(StoreUnavailable, UnknownMessage):
            return change.without_copies((await caller.desk.spool.get(caller.queue_id)).decision)
        return change
