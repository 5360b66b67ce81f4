"""The pages on which a sender takes a mail back: GET says what that can still do, POST does it and says what it did.

The answer stands in the response to the POST itself, recipient by recipient, because it is the verb's own word and no address
could carry it for thousands. To post it again does nothing more and says the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway import metrics
from gateway.console.desk import Desk
from gateway.console.prospects import Fates, fates
from gateway.console.taken_view import listed, subject_of, told
from gateway.spool.contract import Actor, Stored
from gateway.spool.lifecycle import CANCELLABLE, Reason
from gateway.spool.share_contract import TakenBack

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TakeBackPages:
    """The two handlers."""

    desk: Desk

    async def ask(self, request: Request) -> Response:
        """GET /m/{token}/take-back"""
        token, claim = await self.desk.claim(request)
        spool = self.desk.spool
        message = (await spool.get(claim.queue_id)).as_handed_in
        shares, statuses = await spool.shares.of(claim.queue_id), await spool.keys.statuses(claim.queue_id)
        found = fates(message, shares, statuses)
        return await asyncio.to_thread(self._asked, request, token, message, found)

    async def take(self, request: Request) -> Response:
        """POST /m/{token}/take-back"""
        token, claim, _ = await self.desk.posted(request)
        spool = self.desk.spool
        before = (await spool.get(claim.queue_id)).as_handed_in
        actor = Actor("sender", claim.person)
        taken = await spool.shares.take_back(claim.queue_id, None, actor, self.desk.clock())
        _count(before, taken)
        log.info("taken-back", queue_id=claim.queue_id, stopped=len(taken.stopped), gone=len(taken.gone))
        message = (await spool.get(claim.queue_id)).as_handed_in
        return await asyncio.to_thread(self._taken, request, token, message, taken)

    def _asked(self, request: Request, token: str, message: Stored, found: Fates) -> Response:
        words = self.desk.pages.words(self.desk.language(request, message))
        values = {"lists": listed(found, words), "worth": found.worth, "done": False}
        return self._page(request, token, message, values)

    def _taken(self, request: Request, token: str, message: Stored, taken: TakenBack) -> Response:
        words = self.desk.pages.words(self.desk.language(request, message))
        values = {"lists": told(message, taken, words), "done": True, "at": words.moment(taken.at)}
        return self._page(request, token, message, values)

    def _page(self, request: Request, token: str, message: Stored, values: Mapping[str, object]) -> Response:
        desk = self.desk
        language = desk.language(request, message)
        subject = subject_of(message, desk.pages.words(language))
        return desk.pages.render(
            "take-back.html", language, desk.frame(request, token) | {"subject": subject, **values}
        )


def _count(before: Stored, taken: TakenBack) -> None:
    """Count those who were stopped by this, and not by an earlier word."""
    open_ = {row.index for row in before.recipients if row.state in CANCELLABLE}
    metrics.CANCELLED.labels(Reason.BY_SENDER.value).inc(len(open_.intersection(taken.stopped)))
