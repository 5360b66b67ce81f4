"""The POSTs by which a sender locks, unlocks and extends what waits behind links; the spool's answer is what the page says."""

from __future__ import annotations

from datetime import timedelta

import structlog
from starlette.responses import Response

from gateway.console.caller import Caller
from gateway.console.forms import Fields, chosen
from gateway.console.pages import Failure
from gateway.spool.values import Change
from gateway.values import dataclass

DAYS = (1, 3, 7, 14, 30)
"""From now, for how long a share may be extended; the rules may allow less."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ShareActs:
    """The three handlers: each `which=all`, or `which=ticked` with `recipient` for each."""

    async def lock(self, caller: Caller) -> Response:
        """POST /m/{token}/lock"""
        return await self._act(caller, "lock")

    async def unlock(self, caller: Caller) -> Response:
        """POST /m/{token}/unlock"""
        return await self._act(caller, "unlock")

    async def extend(self, caller: Caller) -> Response:
        """POST /m/{token}/extend: with `days`, one of DAYS."""
        return await self._act(caller, "extend")

    async def _act(self, caller: Caller, act: str) -> Response:
        spool, queue_id = caller.desk.spool, caller.queue_id
        ticked = chosen(caller.fields)
        message = await caller.verbs.message()
        known = {row.index for row in message.recipients}
        theirs = {share.recipient for share in await spool.shares.of(queue_id)} & known
        whom = sorted(theirs if ticked is None else theirs & ticked)
        if not whom:
            return caller.answer({"act": act, "missing": "whom"})
        change = await self._do(caller, act, whom)
        log.info(f"share-{act}", queue_id=queue_id, done=len(change.done), left=len(change.not_done))
        value = {"act": act, "done": len(change.done), "left": len(change.not_done)}
        return caller.answer(value)

    async def _do(self, caller: Caller, act: str, whom: list[int]) -> Change:
        if act == "lock":
            return await caller.verbs.lock(whom)
        if act == "unlock":
            return await caller.verbs.unlock(whom)
        return await caller.verbs.extend_links(whom, caller.desk.clock() + _span(caller.fields))


def _span(fields: Fields) -> timedelta:
    """Return the time that was chosen; raises Failure on one that our page does not offer."""
    days = [value for name, value in fields if name == "days"]
    offered = {str(each): timedelta(days=each) for each in DAYS}
    if len(days) != 1 or days[0] not in offered:
        raise Failure(400)
    return offered[days[0]]
