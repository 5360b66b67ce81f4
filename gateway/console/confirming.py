"""The POST by which the sender confirms what was ticked on the page behind the link.

A tick is for one recipient or one attachment. What is not ticked is not confirmed; attachments count once all are ticked.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.desk import Desk
from gateway.console.forms import numbers
from gateway.console.ticks import confirmations, of_attachments
from gateway.spool.contract import Actor

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConfirmPages:
    """The handler; what it shares with other pages is the desk's."""

    desk: Desk

    async def confirm(self, request: Request) -> Response:
        """POST /m/{token}/confirm: a `recipient` for each, and a `file` for each attachment."""
        token, claim, fields = await self.desk.posted(request)
        recipients, files = numbers(fields, "recipient"), numbers(fields, "file")
        missing = await self._missing(claim.queue_id, files)
        actor, now = Actor("sender", claim.person), self.desk.clock()
        change = await self.desk.spool.confirm(claim.queue_id, recipients, not missing, actor, now)
        message = (await self.desk.spool.get(claim.queue_id)).as_handed_in
        change = change.without_copies(message.decision)
        log.info(
            "confirmed-by-sender", queue_id=claim.queue_id, done=len(change.done), left=len(change.not_done)
        )
        value: dict[str, object] = {"act": "confirm", "done": len(change.done), "files": missing}
        return self.desk.to_mail(request, token, value | {"left": len(change.not_done)})

    async def _missing(self, queue_id: str, files: frozenset[int]) -> int:
        """Return how many attachments are not ticked; what cannot be read cannot be ticked."""
        message = await self.desk.spool.get(queue_id)
        if not any(of_attachments(look) for look in confirmations(message)):
            return 0
        seen = await self.desk.preview(message.as_handed_in)
        if seen.attachments is None:
            return 1
        return len(frozenset(range(len(seen.attachments))) - files)
