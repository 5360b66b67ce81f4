"""The page with the keys that a sender tells: shown to a press of a button, never to whoever opens an address.

Link scanners and mail readers open addresses by GET; so the keys come as the answer to a POST of our own page, are written to
nobody's cache, and the spool's verb writes that they were shown before they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from starlette.responses import Response

from gateway.console.caller import Caller
from gateway.console.forms import numbers
from gateway.console.key_sheet import sheet
from gateway.spool.key_contract import NoKey, ShownKey
from gateway.spool.values import Stored
from gateway.values import dataclass

STATUS = {"expired": 410, "not-theirs": 403}  # of the page that says why there is no key; else 404

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyPage:
    """The two handlers."""

    async def lead(self, caller: Caller) -> Response:
        """GET /m/{token}/key: to the page with the button; a reload and a scanner come here."""
        return caller.lead("#keys")

    async def show(self, caller: Caller) -> Response:
        """POST /m/{token}/key: the keys, from number `first` on."""
        queue_id = caller.queue_id
        first = max(numbers(caller.fields, "first"), default=0)
        message = await caller.verbs.message()
        try:
            keys = await caller.verbs.show_keys()
        except NoKey as none:
            log.info("key-not-shown", queue_id=queue_id, why=none.why)
            return self._none(caller, message, none.why)
        log.info("key-shown", queue_id=queue_id, keys=len(keys))
        return await asyncio.to_thread(self._write, caller, message, keys, first)

    def _write(self, caller: Caller, message: Stored, keys: Sequence[ShownKey], first: int) -> Response:
        language = caller.language(message)
        shown = sheet(message, keys, first, caller.desk.pages.words(language))
        if not shown.cards:
            return self._none(caller, message, "none")
        return caller.page("key.html", language, {"sheet": shown})

    def _none(self, caller: Caller, message: Stored, why: str) -> Response:
        return caller.page("no-key.html", caller.language(message), {"why": why}, STATUS.get(why, 404))
