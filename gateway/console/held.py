"""The page behind a sender's link: GET shows one message as it is now.

Changes nothing: link scanners send GET and HEAD. What the buttons do stands in modules of their own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gateway.console import answers, view
from gateway.console.desk import Desk
from gateway.console.ticks import ticks
from gateway.policy.demands import Language
from gateway.spool.contract import Stored
from gateway.spool.second_look import COMMENT
from gateway.transform.preview import Preview
from gateway.waiting import needs


@dataclass(frozen=True, slots=True)
class HeldPage:
    """The page of one message for its sender."""

    desk: Desk

    async def show(self, request: Request) -> Response:
        """GET /m/{token}"""
        desk = self.desk
        token, claim = desk.claim(request)
        seen = await desk.preview((await desk.spool.get(claim.queue_id)).as_handed_in)
        message = (
            await desk.spool.get(claim.queue_id)
        ).as_handed_in  # again: the preview may have waited, and states move
        # A thread, because thousands of rows take longer to write than the event loop may stand still.
        return await asyncio.to_thread(self._write, request, token, message, seen)

    def _write(self, request: Request, token: str, message: Stored, seen: Preview) -> Response:
        desk = self.desk
        language = desk.language(request, message)
        words = desk.pages.words(language)
        values = {
            "page": view.build(message, seen, words, desk.clock()),
            "needs": needs(message, words),
            "ticks": ticks(message, seen, words),
            "longest": COMMENT,
            "action": f"{desk.links.base_path}/m/{token}",
            "query": desk.query(request),
            "seal": desk.form_seal(token),
            "answer": self._answer(request, token, language),
        }
        return desk.pages.render("held.html", language, values)

    def _answer(self, request: Request, token: str, language: Language) -> answers.Answer | None:
        value = self.desk.sealed_answer(request, token)
        if value is None or "act" not in value:
            return None
        return answers.unpack(value, self.desk.pages.words(language))
