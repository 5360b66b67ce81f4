"""The page that can be printed: what the event log proves about the files of a mail behind links.

To prove it all chains of events are walked, so it comes by a button (POST) and one at a time: no scanner that follows links
makes the gateway work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console.desk import Desk
from gateway.console.statement_view import statement
from gateway.spool.contract import Stored
from gateway.spool.testimony import Testimony

Prove = Callable[[str], Awaitable[Testimony]]
"""Make the statement about a queue id; raises StoreUnavailable."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StatementPage:
    """The two handlers; `turn` lets one statement be made at a time."""

    desk: Desk
    prove: Prove
    turn: asyncio.Semaphore

    async def lead(self, request: Request) -> Response:
        """GET /m/{token}/statement: to the page with the button."""
        token, _ = await self.desk.claim(request)
        target = f"{self.desk.links.base_path}/m/{token}{self.desk.query(request)}#links"
        return RedirectResponse(target, status_code=303)

    async def make(self, request: Request) -> Response:
        """POST /m/{token}/statement"""
        token, claim, _ = await self.desk.posted(request)
        message = (await self.desk.spool.get(claim.queue_id)).as_handed_in
        async with self.turn:
            made = await self.prove(claim.queue_id)
        log.info("statement-made", queue_id=claim.queue_id, proved=made.complete)
        return await asyncio.to_thread(self._write, request, token, message, made)

    def _write(self, request: Request, token: str, message: Stored, made: Testimony) -> Response:
        desk = self.desk
        language = desk.language(request, message)
        values = {"s": statement(message, made, desk.pages.words(language))}
        return desk.pages.render("statement.html", language, desk.frame(request, token) | values)
