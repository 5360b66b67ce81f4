"""The page that can be printed: what the event log proves about the files of a mail behind links.

To prove it all chains of events are walked, so it comes by a button (POST) and one at a time: no scanner that follows links
makes the gateway work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from starlette.responses import Response

from gateway.console.caller import Caller
from gateway.console.statement_view import statement
from gateway.spool.testimony import Testimony
from gateway.spool.values import Stored
from gateway.values import dataclass

Prove = Callable[[str], Awaitable[Testimony]]
"""Make the statement about a queue id; raises StoreUnavailable."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StatementPage:
    """The two handlers; `turn` lets one statement be made at a time."""

    prove: Prove
    turn: asyncio.Semaphore

    async def lead(self, caller: Caller) -> Response:
        """GET /m/{token}/statement: to the page with the button."""
        return caller.lead("#links")

    async def make(self, caller: Caller) -> Response:
        """POST /m/{token}/statement"""
        message = await caller.verbs.message()
        async with self.turn:
            made = await self.prove(caller.queue_id)
        log.info("statement-made", queue_id=caller.queue_id, proved=made.complete)
        return await asyncio.to_thread(self._write, caller, message, made)

    def _write(self, caller: Caller, message: Stored, made: Testimony) -> Response:
        language = caller.language(message)
        values = {"s": statement(message, made, caller.desk.pages.words(language))}
        return caller.page("statement.html", language, values)
