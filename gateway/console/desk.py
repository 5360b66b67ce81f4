"""What every page behind a link works with: who the link names, forms that are ours, what copies show, and the way back.

Acts on nothing itself. What is wrong with a request is a Failure or a LinkInvalid, before anything is read or done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.clock import Clock
from gateway.console import guard
from gateway.console.forms import Fields
from gateway.console.pages import Failure, Pages
from gateway.console.reach import EVERYWHERE, Reach
from gateway.languages import LANGUAGES
from gateway.links import Claim, LinkExpired, LinkInvalid, Links
from gateway.message.address import AddressError, parse_path
from gateway.policy.demands import Language
from gateway.spool.contract import BodyUnreadable, Spool, UnknownMessage
from gateway.spool.values import Stored
from gateway.transform.preview import Preview, preview
from gateway.values import dataclass

# Each preview holds a whole original in memory (35 MiB by default): this many at once, the others wait.
PREVIEWS_AT_ONCE = 4


Silenced = Callable[[str], Awaitable[bool]]


async def nobody(address: str) -> bool:
    """Tell that nobody was suspended: there are no people here."""
    return False


@dataclass(frozen=True, slots=True)
class Desk:
    """What handlers share; `turns` bounds how many originals are open at once, `reach` is where keys can be sent.

    `silenced` tells whether everybody whose mailbox (a key) it is was suspended.
    """

    spool: Spool
    links: Links
    clock: Clock
    pages: Pages
    hostname: str
    turns: asyncio.Semaphore
    reach: Reach = EVERYWHERE
    silenced: Silenced = nobody

    async def claim(self, request: Request) -> tuple[str, Claim]:
        """Return the token of a sender's link and what it says; raises LinkInvalid.

        A link that is over stays good while a key of its mail is kept or a share of it open: they are the sender's to
        tell, to lock and to take back (docs/decisions/0040-links-are-capabilities.md).
        """
        token = request.path_params["token"]
        try:
            claim = self.links.read(token)
        except LinkExpired:
            claim = self.links.read_old(token)
            if not await self._lives(claim.queue_id):
                raise
        await self.still_speaks(claim.person)
        return token, claim

    async def still_speaks(self, person: str) -> None:
        """Raise LinkExpired where everybody whose mailbox a link names was suspended: a link is no way around that."""
        try:
            key = parse_path(person).key
        except AddressError:  # nobody's mailbox
            return
        if await self.silenced(key):
            raise LinkExpired("of a person who was suspended")

    async def _lives(self, queue_id: str) -> bool:
        """Tell whether something of a mail that left can still be opened."""
        try:
            message = await self.spool.get(queue_id)
        except UnknownMessage:
            return False
        handled = [each.handling for each in message.decision.outcomes if each.handling is not None]
        now = self.clock()
        if any(each.needs_key and now < message.received_at + each.expires for each in handled):
            return True
        shares = await self.spool.shares.of(queue_id) if any(each.shares for each in handled) else ()
        return any(share.ended_at is None and now < share.expires_at for share in shares)

    async def form(self, request: Request, token: str, most: int = guard.MAX_FORM) -> Fields:
        """Return the fields of a form that our own page behind this link posted, of `most` octets; raises Failure."""
        if not guard.from_own_page(request.headers, self.links.origin):
            raise Failure(403)
        try:
            fields = await guard.read_form(request, most)
            self._check_seal(token, dict(fields).get("seal", ""))
        except guard.FormRefused as refused:
            raise Failure(refused.status) from None
        return fields

    def form_seal(self, token: str) -> str:
        """Return what a form on a page behind this link carries."""
        return self.links.seal(token, {"form": 1})

    def _check_seal(self, token: str, seal: str) -> None:
        try:
            good = self.links.unseal(token, seal) == {"form": 1}
        except LinkInvalid:
            good = False
        if not good:
            raise guard.FormRefused(403)

    async def preview(self, message: Stored) -> Preview:
        """Return what recipients will see; waits for its turn."""
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
        """Return the reader's language: what the address asks for, or the message's."""
        asked = request.query_params.get("lang", "")
        return Language(asked) if asked in LANGUAGES else message.language

    def query(self, request: Request) -> str:
        """Return the end of an address that keeps the language."""
        asked = request.query_params.get("lang", "")
        return "?" + urlencode({"lang": asked}) if asked in LANGUAGES else ""

    def sealed_answer(self, request: Request, token: str) -> dict[str, Any] | None:
        """Return what a button did, as the redirect brings it back; None where nothing, or nothing of ours, came."""
        sealed = request.query_params.get("answer")
        if sealed is None:
            return None
        try:
            return self.links.unseal(token, sealed)
        except LinkInvalid:
            return None

    def back(self, request: Request, path: str, token: str, value: dict[str, Any]) -> Response:
        """Lead back to the page, which says what the button did."""
        query = {"answer": self.links.seal(token, value)}
        if request.query_params.get("lang", "") in LANGUAGES:
            query["lang"] = request.query_params["lang"]
        # 303: a reload of what follows shows the page again and does not post again (RFC 9110 15.4.4).
        return RedirectResponse(f"{self.links.base_path}{path}?{urlencode(query)}", status_code=303)
