"""The pages on which a sender takes a mail back: GET says what that can still do, POST does it and says what it did.

The answer stands in the response to the POST itself, recipient by recipient, because it is the verb's own word and no address
could carry it for thousands. To post it again does nothing more and says the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from starlette.responses import Response

from gateway.console.caller import Caller
from gateway.console.prospects import Fates, fates
from gateway.console.taken_view import listed, told
from gateway.console.view import subject_of
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Stored
from gateway.values import dataclass

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TakeBackPages:
    """The two handlers."""

    async def ask(self, caller: Caller) -> Response:
        """GET /m/{token}/take-back"""
        spool, queue_id = caller.desk.spool, caller.queue_id
        message = await caller.verbs.message()
        shares, statuses = await spool.shares.of(queue_id), await spool.keys.statuses(queue_id)
        found = fates(message, shares, statuses)
        return await asyncio.to_thread(self._asked, caller, message, found)

    async def take(self, caller: Caller) -> Response:
        """POST /m/{token}/take-back"""
        taken = await caller.verbs.take_back()
        log.info("taken-back", queue_id=caller.queue_id, stopped=len(taken.stopped), gone=len(taken.gone))
        message = await caller.verbs.message()
        return await asyncio.to_thread(self._taken, caller, message, taken)

    def _asked(self, caller: Caller, message: Stored, found: Fates) -> Response:
        words = caller.desk.pages.words(caller.language(message))
        values = {"lists": listed(found, words), "worth": found.worth, "done": False}
        return self._page(caller, message, values)

    def _taken(self, caller: Caller, message: Stored, taken: TakenBack) -> Response:
        words = caller.desk.pages.words(caller.language(message))
        values = {"lists": told(message, taken, words), "done": True, "at": words.moment(taken.at)}
        return self._page(caller, message, values)

    def _page(self, caller: Caller, message: Stored, values: Mapping[str, object]) -> Response:
        language = caller.language(message)
        subject = subject_of(message, caller.desk.pages.words(language))
        return caller.page("take-back.html", language, {"subject": subject, **values})
