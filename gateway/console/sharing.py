"""The POSTs by which a sender locks, unlocks and extends what waits behind links; the spool's answer is what the page says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.desk import Desk
from gateway.console.forms import Fields, chosen
from gateway.console.pages import Failure
from gateway.spool.contract import Actor, Change

DAYS = (1, 3, 7, 14, 30)
"""From now, for how long a share may be extended; the rules may allow less."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ShareActs:
    """The three handlers: each `which=all`, or `which=ticked` with `recipient` for each."""

    desk: Desk

    async def lock(self, request: Request) -> Response:
        """POST /m/{token}/lock"""
        return await self._act(request, "lock")

    async def unlock(self, request: Request) -> Response:
        """POST /m/{token}/unlock"""
        return await self._act(request, "unlock")

    async def extend(self, request: Request) -> Response:
        """POST /m/{token}/extend: with `days`, one of DAYS."""
        return await self._act(request, "extend")

    async def _act(self, request: Request, act: str) -> Response:
        token, claim, fields = await self.desk.posted(request)
        ticked = chosen(fields)
        message = (await self.desk.spool.get(claim.queue_id)).as_handed_in
        known = {row.index for row in message.recipients}
        theirs = {share.recipient for share in await self.desk.spool.shares.of(claim.queue_id)} & known
        whom = sorted(theirs if ticked is None else theirs & ticked)
        if not whom:
            return self.desk.to_mail(request, token, {"act": act, "missing": "whom"})
        change = await self._do(claim.queue_id, act, whom, Actor("sender", claim.person), fields)
        log.info(f"share-{act}", queue_id=claim.queue_id, done=len(change.done), left=len(change.not_done))
        value = {"act": act, "done": len(change.done), "left": len(change.not_done)}
        return self.desk.to_mail(request, token, value)

    async def _do(self, queue_id: str, act: str, whom: list[int], actor: Actor, fields: Fields) -> Change:
        shares, now = self.desk.spool.shares, self.desk.clock()
        if act == "lock":
            return await shares.lock(queue_id, whom, actor, now)
        if act == "unlock":
            return await shares.unlock(queue_id, whom, actor, now)
        return await shares.extend(queue_id, whom, now + _span(fields), actor, now)


def _span(fields: Fields) -> timedelta:
    """Return the time that was chosen; raises Failure on one that our page does not offer."""
    days = [value for name, value in fields if name == "days"]
    offered = {str(each): timedelta(days=each) for each in DAYS}
    if len(days) != 1 or days[0] not in offered:
        raise Failure(400)
    return offered[days[0]]
