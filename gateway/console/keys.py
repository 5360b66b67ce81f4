"""The page with the keys that a sender tells: shown to a press of a button, never to whoever opens an address.

Link scanners and mail readers open addresses by GET; so the keys come as the answer to a POST of our own page, are written to
nobody's cache, and the spool's verb writes that they were shown before they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console.desk import Desk
from gateway.console.forms import numbers
from gateway.console.key_sheet import sheet
from gateway.spool.contract import Actor, Stored
from gateway.spool.key_contract import NoKey, ShownKey

STATUS = {"expired": 410, "not-theirs": 403}  # of the page that says why there is no key; else 404

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyPage:
    """The two handlers."""

    desk: Desk

    async def lead(self, request: Request) -> Response:
        """GET /m/{token}/key: to the page with the button; a reload and a scanner come here."""
        token, _ = await self.desk.claim(request)
        target = f"{self.desk.links.base_path}/m/{token}{self.desk.query(request)}#keys"
        return RedirectResponse(target, status_code=303)

    async def show(self, request: Request) -> Response:
        """POST /m/{token}/key: the keys, from number `first` on."""
        token, claim, fields = await self.desk.posted(request)
        spool = self.desk.spool
        first = max(numbers(fields, "first"), default=0)
        message = (await spool.get(claim.queue_id)).as_handed_in
        try:
            keys = await spool.keys.show(claim.queue_id, Actor("sender", claim.person), self.desk.clock())
        except NoKey as none:
            log.info("key-not-shown", queue_id=claim.queue_id, why=none.why)
            return self._none(request, token, message, none.why)
        log.info("key-shown", queue_id=claim.queue_id, keys=len(keys))
        return await asyncio.to_thread(self._write, request, token, message, keys, first)

    def _write(
        self, request: Request, token: str, message: Stored, keys: Sequence[ShownKey], first: int
    ) -> Response:
        desk = self.desk
        language = desk.language(request, message)
        shown = sheet(message, keys, first, desk.pages.words(language))
        if not shown.cards:
            return self._none(request, token, message, "none")
        return desk.pages.render("key.html", language, desk.frame(request, token) | {"sheet": shown})

    def _none(self, request: Request, token: str, message: Stored, why: str) -> Response:
        language = self.desk.language(request, message)
        values = self.desk.frame(request, token) | {"why": why}
        return self.desk.pages.render("no-key.html", language, values, STATUS.get(why, 404))
