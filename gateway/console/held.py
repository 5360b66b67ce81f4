"""The page behind a link: GET shows one message as it is now, POST cancels or releases and leads back to the page.

Acts only through the spool's verbs, and only on the message and as the person that the link names. What a
verb answers is what the page says. A GET or HEAD, as link scanners send them, changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway import metrics, rule_effects
from gateway.clock import Clock
from gateway.console import answers, guard, view
from gateway.console.pages import Failure, Pages
from gateway.console.ticks import ticks
from gateway.languages import LANGUAGES
from gateway.links import Claim, LinkInvalid, Links
from gateway.policy.demands import Language
from gateway.spool.contract import (
    Actor,
    BodyUnreadable,
    Change,
    Spool,
    Stored,
    StoreUnavailable,
    UnknownMessage,
)
from gateway.spool.lifecycle import Reason
from gateway.spool.second_look import COMMENT
from gateway.transform.preview import Preview, preview
from gateway.waiting import needs

# Each preview holds a whole original in memory (35 MiB by default): this many at once, the others wait.
PREVIEWS_AT_ONCE = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HeldPages:
    """The three handlers; `turns` bounds how many originals are open at once."""

    spool: Spool
    links: Links
    clock: Clock
    pages: Pages
    hostname: str
    turns: asyncio.Semaphore

    async def show(self, request: Request) -> Response:
        """GET /m/{token}"""
        token, claim = self.claim(request)
        seen = await self.preview((await self.spool.get(claim.queue_id)).as_handed_in)
        message = (
            await self.spool.get(claim.queue_id)
        ).as_handed_in  # again: the preview may have waited, and states move
        # A thread, because thousands of rows take longer to write than the event loop may stand still.
        return await asyncio.to_thread(self._write, request, token, message, seen)

    def _write(self, request: Request, token: str, message: Stored, seen: Preview) -> Response:
        language = self.language(request, message)
        words = self.pages.words(language)
        values = {
            "page": view.build(message, seen, words, self.clock()),
            "needs": needs(message, words),
            "ticks": ticks(message, seen, words),
            "longest": COMMENT,
            "action": f"{self.links.base_path}/m/{token}",
            "query": self.query(request),
            "seal": self.links.seal(token, {"form": 1}),
            "answer": self._answer(request, token, language),
        }
        return self.pages.render("held.html", language, values)

    async def cancel(self, request: Request) -> Response:
        """POST /m/{token}/cancel: `which=all`, or `which=ticked` with `recipient` for each."""
        token, claim, chosen = await self._posted(request)
        change = await self._cancel(claim, chosen) if chosen is None or chosen else None
        if change is None or chosen is not None:
            return self._back(request, token, answers.pack("cancel", change))
        at_once = answers.unheld(await self.spool.get(claim.queue_id), change)
        return self._back(request, token, answers.pack("cancel", change, at_once))

    async def release(self, request: Request) -> Response:
        """POST /m/{token}/release: likewise. What is firm of the window stays; the spool sees to that."""
        token, claim, fields = await self._posted_fields(request)
        chosen = _chosen(fields)
        because = dict(fields).get("because", "").strip()[:COMMENT]
        if chosen is not None and not chosen:
            return self._back(request, token, answers.pack("release", None))
        change = await self._release(claim, chosen, because)
        message = await self.spool.get(claim.queue_id)
        return self._back(
            request, token, answers.pack("release", change) | answers.kept(message, change, because)
        )

    async def _cancel(self, claim: Claim, chosen: Collection[int] | None) -> Change:
        actor = Actor("sender", claim.person)
        done = await self.spool.cancel(claim.queue_id, chosen, actor, Reason.BY_SENDER, self.clock())
        change = await self._shown(claim, done)
        metrics.CANCELLED.labels(Reason.BY_SENDER.value).inc(len(change.done))
        await self._count(rule_effects.CANCELLED, claim.queue_id, change)
        log.info(
            "cancelled-by-sender", queue_id=claim.queue_id, done=len(change.done), late=len(change.not_done)
        )
        return change

    async def _release(self, claim: Claim, chosen: Collection[int] | None, because: str) -> Change:
        actor = Actor("sender", claim.person)
        now = self.clock()
        done = await self.spool.release(claim.queue_id, chosen, actor, Reason.BY_SENDER, now, because)
        change = await self._shown(claim, done)
        log.info(
            "released-by-sender", queue_id=claim.queue_id, done=len(change.done), late=len(change.not_done)
        )
        await self._count(rule_effects.WAIVED, claim.queue_id, change)
        return change

    async def _count(self, effect: str, queue_id: str, change: Change) -> None:
        """Count for the rules that held what the sender decided about; what was done is done, whether it is counted or not."""
        if not change.done:
            return
        with suppress(StoreUnavailable, UnknownMessage):
            decision = (await self.spool.get(queue_id)).decision
            rules = {rule for index in change.done for rule in decision.of(index).rules}
            rule_effects.mails(effect, rule_effects.holding(rules))

    async def _shown(self, claim: Claim, change: Change) -> Change:
        """Return the change without the copies that a rule asked for: the sender does not hear of them."""
        with suppress(StoreUnavailable, UnknownMessage):
            return change.without_copies((await self.spool.get(claim.queue_id)).decision)
        return change

    def claim(self, request: Request) -> tuple[str, Claim]:
        token = request.path_params["token"]
        return token, self.links.read(token)

    async def _posted(self, request: Request) -> tuple[str, Claim, frozenset[int] | None]:
        """Return who posts and which recipients; None is all of them."""
        token, claim, fields = await self._posted_fields(request)
        return token, claim, _chosen(fields)

    async def _posted_fields(self, request: Request) -> tuple[str, Claim, list[tuple[str, str]]]:
        token, claim = self.claim(request)
        return token, claim, await self.form(request, token)

    async def form(self, request: Request, token: str) -> list[tuple[str, str]]:
        """Return the fields of a form that our own page behind this link posted; raises Failure."""
        if not guard.from_own_page(request.headers, self.links.origin):
            raise Failure(403)
        try:
            fields = await guard.read_form(request)
            self._check_seal(token, dict(fields).get("seal", ""))
        except guard.FormRefused as refused:
            raise Failure(refused.status) from None
        return fields

    def _check_seal(self, token: str, seal: str) -> None:
        try:
            good = self.links.unseal(token, seal) == {"form": 1}
        except LinkInvalid:
            good = False
        if not good:
            raise guard.FormRefused(403)

    async def preview(self, message: Stored) -> Preview:
        async with self.turns:
            try:
                raw = None if message.unreadable else await self.spool.raw(message.queue_id)
            except BodyUnreadable:
                raw = None
            indexes = [row.index for row in message.recipients]
            # A thread: reading a large original for its attachments takes time that the event loop has not
            # got.
            return await asyncio.to_thread(
                preview,
                raw,
                message.envelope,
                message.decision,
                message.queue_id,
                message.received_at,
                self.hostname,
                indexes,
            )

    def language(self, request: Request, message: Stored) -> Language:
        asked = request.query_params.get("lang", "")
        return Language(asked) if asked in LANGUAGES else message.language

    def query(self, request: Request) -> str:
        asked = request.query_params.get("lang", "")
        return "?" + urlencode({"lang": asked}) if asked in LANGUAGES else ""

    def _answer(self, request: Request, token: str, language: Language) -> answers.Answer | None:
        value = self.sealed_answer(request, token)
        if value is None or "act" not in value:
            return None
        return answers.unpack(value, self.pages.words(language))

    def sealed_answer(self, request: Request, token: str) -> dict[str, Any] | None:
        """Return what a button did, as the redirect brings it back; None where nothing, or nothing of ours, came."""
        sealed = request.query_params.get("answer")
        if sealed is None:
            return None
        try:
            return self.links.unseal(token, sealed)
        except LinkInvalid:
            return None

    def _back(self, request: Request, token: str, value: dict[str, Any]) -> Response:
        return self.back(request, f"/m/{token}", token, value)

    def back(self, request: Request, path: str, token: str, value: dict[str, Any]) -> Response:
        """Lead back to the page, which says what the button did."""
        query = {"answer": self.links.seal(token, value)}
        if request.query_params.get("lang", "") in LANGUAGES:
            query["lang"] = request.query_params["lang"]
        # 303: a reload of what follows shows the page again and does not post again (RFC 9110 15.4.4).
        return RedirectResponse(f"{self.links.base_path}{path}?{urlencode(query)}", status_code=303)


def _chosen(fields: list[tuple[str, str]]) -> frozenset[int] | None:
    try:
        return chosen(fields)
    except guard.FormRefused as refused:
        raise Failure(refused.status) from None


def numbers(fields: list[tuple[str, str]], wanted: str) -> frozenset[int]:
    """Return the numbers under one name in a form; raises FormRefused on what our page cannot have sent."""
    ticked = [value for name, value in fields if name == wanted]
    if not all(value.isascii() and value.isdigit() and len(value) < 7 for value in ticked):
        raise guard.FormRefused(400)
    return frozenset(map(int, ticked))


def chosen(fields: list[tuple[str, str]]) -> frozenset[int] | None:
    """Return the recipients that a form ticks, None for all of them; raises FormRefused on what our page
    cannot have sent."""
    which = [value for name, value in fields if name == "which"]
    if which == ["all"]:
        return None
    if which != ["ticked"]:
        raise guard.FormRefused(400)
    return numbers(fields, "recipient")
