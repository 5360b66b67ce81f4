"""The page behind an approver's link: GET shows what is asked, POST approves or rejects and leads back, or shows the text.

The link is a capability for one person on one message (docs/decisions/0053-second-look.md), and of another kind than the
sender's: neither opens the other's page. A GET or HEAD, as link scanners send them, changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console import approval_view
from gateway.console.desk import Desk
from gateway.console.files_view import files
from gateway.console.mail.opening import open_letter
from gateway.console.mail.reading import Shown, in_words
from gateway.console.pages import Failure
from gateway.counting import count_cancelled
from gateway.deadline_words import outlook
from gateway.links import Claim
from gateway.message.address import parse_path
from gateway.policy.demands import Language
from gateway.spool.contract import BodyUnreadable
from gateway.spool.lifecycle import Reason
from gateway.spool.second_look import COMMENT, Said
from gateway.spool.values import Actor, Consented, Stored
from gateway.transform.preview import Preview
from gateway.values import dataclass

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ApprovalPages:
    """The handlers; what they share with other pages is the desk's."""

    desk: Desk

    async def show(self, request: Request) -> Response:
        """GET /a/{token}"""
        token, claim = await self._claim(request)
        seen = await self.desk.preview((await self.desk.spool.get(claim.queue_id)).as_handed_in)
        message = (
            await self.desk.spool.get(claim.queue_id)
        ).as_handed_in  # again: the preview may have waited
        return await asyncio.to_thread(self._write, request, token, claim, message, seen)

    async def text(self, request: Request) -> Response:
        """POST /a/{token}/text: the page with the text of the mail, for who may decide now.

        Behind a button of the page: what opens links by itself gets no text.
        """
        token, claim, comment = await self._posted(request)
        message = (await self.desk.spool.get(claim.queue_id)).as_handed_in
        asked = approval_view.asked_of(message, [parse_path(claim.person).key], self.desk.clock())
        if not asked:
            raise Failure(409)
        letter = await self._letter(message, asked[0].shown)
        seen = await self.desk.preview(message)
        return await asyncio.to_thread(self._write, request, token, claim, message, seen, letter, comment)

    async def to_page(self, request: Request) -> Response:
        """GET /a/{token}/text: where its language is changed, or its address opened again."""
        token, _ = await self._claim(request)
        desk = self.desk
        return RedirectResponse(f"{desk.links.base_path}/a/{token}{desk.query(request)}", status_code=303)

    async def _letter(self, message: Stored, recipients: Sequence[int]) -> Shown:
        known = [row.index for row in message.recipients]
        recipient = next((index for index in recipients if index in known), known[0])
        try:
            found = await open_letter(self.desk, message, recipient)
        except BodyUnreadable:
            return Shown(unreadable=True)
        return in_words(found, message, recipient)

    def _write(
        self,
        request: Request,
        token: str,
        claim: Claim,
        message: Stored,
        seen: Preview,
        letter: Shown | None = None,
        comment: str = "",
    ) -> Response:
        desk = self.desk
        language = desk.language(request, message)
        words, now = desk.pages.words(language), desk.clock()
        person = parse_path(claim.person).key
        values = {
            "files": files(message, (), words),
            "page": approval_view.build(message, seen, person, words, now),
            "outlook": outlook(message, words, now),
            "action": f"{desk.links.base_path}/a/{token}",
            "query": desk.query(request),
            "seal": desk.form_seal(token),
            "answer": self._answer(request, token, language),
            "longest": COMMENT,
            "error": self._error(request, token, language),
            "letter": letter,
            "comment": comment,
        }
        return desk.pages.render("approval.html", language, values)

    async def approve(self, request: Request) -> Response:
        """POST /a/{token}/approve, with a comment or without."""
        token, claim, comment = await self._posted(request)
        person = parse_path(claim.person).key
        actor = Actor("approver", person)
        spool, now = self.desk.spool, self.desk.clock()
        answer = await spool.consents.approve(claim.queue_id, None, person, actor, comment, now)
        log.info("approved", queue_id=claim.queue_id, said=answer.said.value, missing=answer.missing)
        return self._back(request, token, "approve", answer)

    async def reject(self, request: Request) -> Response:
        """POST /a/{token}/reject, with a comment: whoever waits for this person's approval does not get the mail."""
        token, claim, comment = await self._posted(request)
        if not comment:
            return self.desk.back(request, f"/a/{token}", token, {"missing": "comment"})
        person = parse_path(claim.person).key
        actor = Actor("approver", person)
        spool, now = self.desk.spool, self.desk.clock()
        before = await spool.get(claim.queue_id)
        answer = await spool.consents.reject(claim.queue_id, None, person, actor, comment, now)
        count_cancelled(Reason.REJECTED, before, answer.change.without_copies(before.decision).done)
        log.info("rejected", queue_id=claim.queue_id, said=answer.said.value, done=len(answer.change.done))
        return self._back(request, token, "reject", answer)

    async def _claim(self, request: Request) -> tuple[str, Claim]:
        token = request.path_params["token"]
        claim = self.desk.links.read_approval(token)
        await self.desk.still_speaks(claim.person)
        return token, claim

    async def _posted(self, request: Request) -> tuple[str, Claim, str]:
        token, claim = await self._claim(request)
        fields = dict(await self.desk.form(request, token))
        comment = fields.get("comment", "").strip()
        if len(comment) > COMMENT:
            raise Failure(400)
        return token, claim, comment

    def _back(self, request: Request, token: str, act: str, answer: Consented) -> Response:
        value: dict[str, object] = {"act": act, "said": answer.said.value, "missing": answer.missing}
        return self.desk.back(request, f"/a/{token}", token, value)

    def _error(self, request: Request, token: str, language: Language) -> str:
        """Return what is wrong with the comment, beside its field."""
        answer = self.desk.sealed_answer(request, token) or {}
        if answer.get("missing") != "comment":
            return ""
        return self.desk.pages.words(language).gettext(
            "Please say why you reject it: the sender has to know what to change."
        )

    def _answer(self, request: Request, token: str, language: Language) -> approval_view.Told | None:
        value = self.desk.sealed_answer(request, token)
        if value is None or "said" not in value:
            return None
        said, words = Said(value["said"]), self.desk.pages.words(language)
        return approval_view.told(str(value["act"]), said, int(value["missing"]), words)
