"""The POST by which the sender confirms what was ticked on the page behind the link.

A tick is for one recipient or one attachment. What is not ticked is not confirmed; attachments count once all are ticked.
"""

from __future__ import annotations

import structlog
from starlette.responses import Response

from gateway.console.caller import Caller
from gateway.console.forms import numbers
from gateway.console.ticks import confirmations, of_attachments
from gateway.values import dataclass

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConfirmPages:
    """The handler."""

    async def confirm(self, caller: Caller) -> Response:
        """POST /m/{token}/confirm: a `recipient` for each, and a `file` for each attachment."""
        recipients, files = numbers(caller.fields, "recipient"), numbers(caller.fields, "file")
        missing = await self._missing(caller, files)
        change = await caller.verbs.confirm(recipients, not missing)
        log.info(
            "confirmed-by-sender", queue_id=caller.queue_id, done=len(change.done), left=len(change.not_done)
        )
        value: dict[str, object] = {"act": "confirm", "done": len(change.done), "files": missing}
        return caller.answer(value | {"left": len(change.not_done)})

    async def _missing(self, caller: Caller, files: frozenset[int]) -> int:
        """Return how many attachments are not ticked; what cannot be read cannot be ticked."""
        message = await caller.verbs.message()
        if not any(of_attachments(look) for look in confirmations(message)):
            return 0
        seen = await caller.desk.preview(message)
        if seen.attachments is None:
            return 1
        return len(frozenset(range(len(seen.attachments))) - files)
