"""The page behind a colleague's link: GET shows what still waits for outside, POST stops it, with a reason.

The link is a capability for one recipient of one mail (docs/decisions/0087-colleagues-may-stop.md). A GET or HEAD, as mail
scanners send them, changes nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console import colleague_view
from gateway.console.desk import Desk
from gateway.counting import count_cancelled
from gateway.links import LinkInvalid, ShareClaim
from gateway.policy.colleagues import colleagues_of
from gateway.policy.demands import Language
from gateway.spool.lifecycle import Reason
from gateway.spool.second_look import COMMENT
from gateway.spool.values import Change, Stored
from gateway.transform.preview import Preview
from gateway.values import dataclass

log = structlog.get_logger()


def colleague_routes(desk: Desk) -> list[BaseRoute]:
    """Return the page and its verb."""
    pages = ColleaguePages(desk)
    return [
        Route("/c/{token}", pages.show),
        Route("/c/{token}/stop", pages.stop, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class ColleaguePages:
    """The two handlers; what they share with other pages is the desk's."""

    desk: Desk

    async def show(self, request: Request) -> Response:
        """GET /c/{token}"""
        token, claim = self._claim(request)
        message = await self._message(claim)
        row = message.recipients[claim.recipient]
        seen = await self.desk.preview(replace(message, recipients=(row,)))
        message = await self._message(claim)  # again: the preview may have waited
        return await asyncio.to_thread(self._write, request, token, claim, message, seen)

    async def stop(self, request: Request) -> Response:
        """POST /c/{token}/stop, with a reason: whoever outside has not got the mail does not get it."""
        token, claim = self._claim(request)
        fields = dict(await self.desk.form(request, token))
        because = fields.get("because", "").strip()[:COMMENT]
        if not because:
            return self.desk.back(request, f"/c/{token}", token, {"missing": "because"})
        message = await self._message(claim)
        change = await self.desk.spool.consents.stop_by_colleague(
            claim.queue_id, claim.recipient, because, self.desk.clock()
        )
        _count(message, change)
        value = {"done": len(change.done), "late": len(change.not_done)}
        return self.desk.back(request, f"/c/{token}", token, value)

    def _claim(self, request: Request) -> tuple[str, ShareClaim]:
        token = request.path_params["token"]
        return token, self.desk.links.read_colleague(token)

    async def _message(self, claim: ShareClaim) -> Stored:
        """Return the mail; raises UnknownMessage, and LinkInvalid for who may not stop it."""
        message = await self.desk.spool.get(claim.queue_id)
        if message.unreadable or claim.recipient not in colleagues_of(message.decision, message.envelope):
            raise LinkInvalid("nobody who may stop this mail")
        await self.desk.still_speaks(str(message.envelope.recipients[claim.recipient]))
        return message

    def _write(
        self, request: Request, token: str, claim: ShareClaim, message: Stored, seen: Preview
    ) -> Response:
        desk = self.desk
        language = desk.language(request, message)
        words = desk.pages.words(language)
        answer = desk.sealed_answer(request, token) or {}
        person = str(message.envelope.recipients[claim.recipient])
        values = {
            "page": colleague_view.build(message, claim.recipient, seen, words),
            "action": f"{desk.links.base_path}/c/{token}",
            "query": desk.query(request),
            "seal": desk.form_seal(token),
            "answer": colleague_view.told(int(answer["done"]), int(answer["late"]), words)
            if "done" in answer
            else None,
            "error": self._error(answer, language),
            "incident": desk.links.incident_url(message.queue_id, person),
            "longest": COMMENT,
        }
        return desk.pages.render("colleague.html", language, values)

    def _error(self, answer: dict[str, object], language: Language) -> str:
        if answer.get("missing") != "because":
            return ""
        return self.desk.pages.words(language).gettext(
            "Please say why: the sender has to know what is wrong."
        )


def _count(message: Stored, change: Change) -> None:
    count_cancelled(Reason.BY_COLLEAGUE, message, change.done)
    log.info(
        "stopped-by-colleague",
        queue_id=message.queue_id,
        done=len(change.done),
        late=len(change.not_done),
    )
