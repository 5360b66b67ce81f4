"""The POSTs by which a sender stops a mail or lets it go: what a verb answers is what the page says afterwards.

Acts only through the spool's verbs, and only on the message and as the person that the link names.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway import metrics, rule_effects
from gateway.console import answers
from gateway.console.desk import Desk
from gateway.console.forms import chosen
from gateway.links import Claim
from gateway.spool.contract import Actor, Change, StoreUnavailable, UnknownMessage
from gateway.spool.lifecycle import Reason
from gateway.spool.second_look import COMMENT

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HeldActs:
    """The two handlers."""

    desk: Desk

    async def cancel(self, request: Request) -> Response:
        """POST /m/{token}/cancel: `which=all`, or `which=ticked` with `recipient` for each."""
        token, claim, fields = await self.desk.posted(request)
        whom = chosen(fields)
        change = await self._cancel(claim, whom) if whom is None or whom else None
        if change is None or whom is not None:
            return self.desk.to_mail(request, token, answers.pack("cancel", change))
        at_once = answers.unheld(await self.desk.spool.get(claim.queue_id), change)
        return self.desk.to_mail(request, token, answers.pack("cancel", change, at_once))

    async def release(self, request: Request) -> Response:
        """POST /m/{token}/release: likewise. What is firm of the window stays; the spool sees to that."""
        token, claim, fields = await self.desk.posted(request)
        whom = chosen(fields)
        because = dict(fields).get("because", "").strip()[:COMMENT]
        if whom is not None and not whom:
            return self.desk.to_mail(request, token, answers.pack("release", None))
        change = await self._release(claim, whom, because)
        message = await self.desk.spool.get(claim.queue_id)
        value = answers.pack("release", change) | answers.kept(message, change, because)
        return self.desk.to_mail(request, token, value)

    async def _cancel(self, claim: Claim, whom: Collection[int] | None) -> Change:
        actor = Actor("sender", claim.person)
        done = await self.desk.spool.cancel(claim.queue_id, whom, actor, Reason.BY_SENDER, self.desk.clock())
        change = await self._shown(claim, done)
        metrics.CANCELLED.labels(Reason.BY_SENDER.value).inc(len(change.done))
        await self._count(rule_effects.CANCELLED, claim.queue_id, change)
        log.info(
            "cancelled-by-sender", queue_id=claim.queue_id, done=len(change.done), late=len(change.not_done)
        )
        return change

    async def _release(self, claim: Claim, whom: Collection[int] | None, because: str) -> Change:
        actor = Actor("sender", claim.person)
        now = self.desk.clock()
        done = await self.desk.spool.release(claim.queue_id, whom, actor, Reason.BY_SENDER, now, because)
        change = await self._shown(claim, done)
        log.info(
            "released-by-sender", queue_id=claim.queue_id, done=len(change.done), late=len(change.not_done)
        )
        await self._count(rule_effects.WAIVED, claim.queue_id, change)
        return change

    async def _count(self, effect: str, queue_id: str, change: Change) -> None:
        """Count for the rules that held what the sender decided about; what was done is done, whether it is counted or not."""
        if not change.done:
            return
        with suppress(StoreUnavailable, UnknownMessage):
            decision = (await self.desk.spool.get(queue_id)).decision
            rules = {rule for index in change.done for rule in decision.of(index).rules}
            rule_effects.mails(effect, rule_effects.holding(rules))

    async def _shown(self, claim: Claim, change: Change) -> Change:
        """Return the change without the copies that a rule asked for: the sender does not hear of them."""
        with suppress(StoreUnavailable, UnknownMessage):
            return change.without_copies((await self.desk.spool.get(claim.queue_id)).decision)
        return change
