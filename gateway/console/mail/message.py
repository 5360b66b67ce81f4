"""The page of one mail for people who are signed in: all that the page behind a link has, and the text, what was found, which
rule asked for what, and the story so far.

Who may read gets the text with it; who needs a reason finds the way to the page that asks for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import Response

from gateway.acting.acting import Seen
from gateway.audit.entries import Entry
from gateway.audit.timeline import MOMENTS
from gateway.console.caller import Caller
from gateway.console.gate import Visit
from gateway.console.held import Gathered, gather, values
from gateway.console.mail import deciding
from gateway.console.mail.door import Door
from gateway.console.mail.found import found
from gateway.console.mail.reading import Shown, show, with_frames
from gateway.console.mail.story import story
from gateway.console.mail.why import why
from gateway.people.sight import Act
from gateway.spool.contract import BodyUnreadable
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class MessagePage:
    """The handler. `provable`: there is a statement to be made about links."""

    door: Door
    provable: bool = False

    async def show(self, visit: Visit, caller: Caller) -> Response:
        """GET /held/{queue_id}"""
        seen = await self.door.seen(caller, visit.person)
        gathered = await gather(caller)
        letter = await self._letter(visit, seen) if Act.READ in seen.acts else None
        entries = await self._entries(caller.queue_id)
        # A thread, because thousands of rows take longer to write than the event loop may stand still.
        return await asyncio.to_thread(self._write, visit, caller, seen, gathered, letter, entries)

    async def _letter(self, visit: Visit, seen: Seen) -> Shown:
        try:
            raw: bytes | None = await self.door.acting.read(visit.person, seen.message.queue_id)
        except BodyUnreadable:
            raw = None
        return await show(self.door.site, visit, seen.message.as_handed_in, raw)

    async def _entries(self, queue_id: str) -> Sequence[Entry]:
        log = self.door.site.log
        return () if log is None else await asyncio.to_thread(log.about, queue_id, MOMENTS + 1)

    def _write(
        self,
        visit: Visit,
        caller: Caller,
        seen: Seen,
        gathered: Gathered,
        letter: Shown | None,
        entries: Sequence[Entry],
    ) -> Response:
        message, language = gathered.message, caller.language(gathered.message)
        words = caller.desk.pages.words(language)
        answered = caller.answered() or {}
        more: dict[str, object] = {
            "asked": deciding.asked(message, visit.person, caller, words) if Act.APPROVE in seen.acts else (),
            "letter": letter,
            "readable": letter is not None or Act.READ_FOR_REASON in seen.acts,
            "found": found(seen.facts, gathered.seen.attachments, words),
            "why": why(message, words),
            "story": story(entries, message, words),
            "moment": words.moment,
            "queue_id": message.queue_id,
            "several": bool(message.decision.texts),
        }
        if answered.get("act") in deciding.ACTS:
            more["answer"] = deciding.unpack(answered, words)
        return with_frames(
            caller.page("held-mail.html", language, values(caller, gathered, provable=self.provable) | more)
        )
