"""The pages at /d/{token}: ask for a code, enter it, see what can be fetched.

The token is a capability of one recipient (gateway/links.py). GET and HEAD, as link scanners send them, change and spend
nothing. Whoever may not see a share (there is none, it is locked, over, taken back, used up) sees one and the same page: what
it was, only the sender learns.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import field
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.desk import Desk
from gateway.console.download.admission import admit, admitted, client_of, new_visitor
from gateway.console.download.pace import SLICE, Pace
from gateway.console.download.view import file_rows, told
from gateway.console.pages import reader_language
from gateway.links import LinkInvalid, ShareClaim
from gateway.spool.share_contract import NoShare, Share, Visitor
from gateway.spool.shares_codes import ASKED, BARRED_AT, DIGITS, MAX_ENTERED, VALID
from gateway.values import dataclass

Handler = Callable[[Any, Request], Coroutine[Any, Any, Response]]
MAX_FORM = (
    8 << 10
)  # octets; anybody may post here, and a seal, a code and a key in wide characters take 4 KiB
_NOBODYS = ShareClaim("", -1)  # looked up for a token that is none, so that it takes as long as any other

log = structlog.get_logger()


class Gone(Exception):
    """There is nothing here for whoever asks; `why` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class DownloadPages:
    """The three handlers; `ring` says that a letter waits to be written."""

    desk: Desk
    ring: Callable[[], None]
    pace: Pace = field(default_factory=Pace)

    async def show(self, request: Request) -> Response:
        """GET /d/{token}"""
        try:
            token, share = await self.open_share(request)
            visitor = await self.visitor(request, token, share)
            if visitor is None and share.used_up:
                raise Gone("used-up")
        except Gone as gone:
            return self.gone(request, gone.why)
        return self._entrance(request, token, share) if visitor is None else self._list(request, token, share)

    async def ask(self, request: Request) -> Response:
        """POST /d/{token}/code: have a code sent to the recipient's address."""
        token = request.path_params["token"]
        if not self._in_pace(request, token):
            return self.too_fast(request)
        await self.desk.form(request, token, MAX_FORM)
        claim = self._claim(token)
        try:
            visitor = Visitor(client_of(request))
            await self.desk.spool.shares.ask_code(claim.queue_id, claim.recipient, visitor, self.desk.clock())
        except NoShare as refused:
            if refused.why != "too-many":
                return self.gone(request, refused.why)
            log.info("share-code-refused", queue_id=claim.queue_id, why=refused.why)
        else:
            log.info("share-code-asked", queue_id=claim.queue_id)
            self.ring()
        return self.desk.back(request, f"/d/{token}", token, {"act": "asked"})

    async def enter(self, request: Request) -> Response:
        """POST /d/{token}/open: `code`, and `key` where the files need one."""
        token = request.path_params["token"]
        if not self._in_pace(request, token):
            return self.too_fast(request)
        fields = dict(await self.desk.form(request, token, MAX_FORM))
        claim, visitor = self._claim(token), new_visitor(request)
        code, key = fields.get("code", "")[:MAX_ENTERED], fields.get("key", "")[:MAX_ENTERED]
        now = self.desk.clock()
        try:
            right = await self.desk.spool.shares.enter(
                claim.queue_id, claim.recipient, code, key, visitor, now
            )
        except NoShare as refused:
            return self.gone(request, refused.why)
        log.info("share-entered", queue_id=claim.queue_id, right=right)
        if not right:
            return self.desk.back(request, f"/d/{token}", token, {"act": "wrong"})
        response = self.desk.back(request, f"/d/{token}", token, {"act": "opened"})
        admit(response, self.desk.links, token, visitor, now)
        return response

    async def open_share(self, request: Request) -> tuple[str, Share]:
        """Return the token and its share; raises Gone where it is not open."""
        token = request.path_params["token"]
        claim = self._claim(token)
        try:
            share = await self.desk.spool.shares.get(claim.queue_id, claim.recipient, self.desk.clock())
        except NoShare as closed:
            raise Gone(closed.why) from closed
        return token, share

    async def visitor(self, request: Request, token: str, share: Share) -> Visitor | None:
        """Return the visit that proved the address; None where the request belongs to none."""
        visitor = admitted(request, self.desk.links, token, self.desk.clock())
        if visitor is None or not await self.desk.spool.shares.visits(
            share.queue_id, share.recipient, visitor
        ):
            return None
        return visitor

    def gone(self, request: Request, why: str) -> Response:
        """Return the one page for whatever is not there for this reader."""
        log.info("share-not-shown", why=why)
        return self.desk.pages.render("download_gone.html", reader_language(request), {}, 404)

    def _claim(self, token: str) -> ShareClaim:
        try:
            return self.desk.links.read_share(token)
        except LinkInvalid:
            return _NOBODYS

    def _in_pace(self, request: Request, token: str) -> bool:
        return self.pace.allows(token, client_of(request), self.desk.clock())

    def too_fast(self, request: Request) -> Response:
        """Return the page for who asks too often."""
        page = self.desk.pages.render("download_busy.html", reader_language(request), {}, 429)
        page.headers["retry-after"] = str(int(SLICE.total_seconds()))
        return page

    def _entrance(self, request: Request, token: str, share: Share) -> Response:
        act = (self.desk.sealed_answer(request, token) or {}).get("act", "")
        values = {
            **self._frame(request, token),
            "needs_key": share.needs_key,
            "act": act,
            "typing": act in ("asked", "wrong"),
            "digits": DIGITS,
            "minutes": int(VALID.total_seconds()) // 60,
            "letters": ASKED,
            "wrong": BARRED_AT,
        }
        return self.desk.pages.render("download_entrance.html", reader_language(request), values)

    def _list(self, request: Request, token: str, share: Share) -> Response:
        language = reader_language(request)
        words = self.desk.pages.words(language)
        answer = self.desk.sealed_answer(request, token) or {}
        values = {
            **self._frame(request, token),
            "share": told(share, words),
            "files": file_rows(share),
            "act": answer.get("act", ""),
        }
        return self.desk.pages.render("download_files.html", language, values)

    def _frame(self, request: Request, token: str) -> dict[str, object]:
        return {
            "action": f"{self.desk.links.base_path}/d/{token}",
            "query": self.desk.query(request),
            "seal": self.desk.form_seal(token),
        }
