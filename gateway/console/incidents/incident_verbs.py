"""What people do on the page of an incident: each a POST that does one thing and leads back there.

What a press did, or why it did nothing, comes back sealed to the session, so that nobody can make the page say it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from starlette.responses import Response

from gateway.acting.on_incidents import ActingOnIncidents
from gateway.console.forms import numbers
from gateway.console.gate import Visit
from gateway.console.incidents import incident_view, report_form
from gateway.console.incidents.incident_pages import IncidentPages
from gateway.console.incidents.incident_words import EVERY
from gateway.console.pages import Failure
from gateway.incidents.contract import PARAGRAPH, TEXT, Asking, Incident, IncidentRefused, Report
from gateway.people.sight import Act
from gateway.values import dataclass

log = structlog.get_logger()
Verb = Callable[[], Awaitable[str]]
"""Does it, and gives the word for what was done; raises IncidentRefused."""


@dataclass(frozen=True, slots=True)
class IncidentVerbs:
    """The handlers; `pages` shows what they lead back to."""

    pages: IncidentPages

    async def amend(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/amend: shows the page again where the form is wrong."""
        pages, words, now = self.pages, self.pages.words(visit), self.pages.now()
        handled = await pages.incident(visit, Act.HANDLE)
        message = await pages.message(handled)
        found = report_form.read(visit.fields, message, words, now)
        if found.account is None:
            return await pages.one(visit, handled, report_form.again(message, found, words, now))
        account = found.account

        async def verb() -> str:
            await self._acting.amend(visit.person, handled.queue_id, account)
            return "amended"

        return await self._do(visit, handled, verb)

    async def reported(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/reported: a report was handed in."""
        handled = await self.pages.incident(visit, Act.HANDLE)
        try:
            report = Report(dict(visit.fields).get("report", ""))
        except ValueError:
            raise Failure(400) from None

        async def verb() -> str:
            await self._acting.handed_in(visit.person, handled.queue_id, report)
            return "reported"

        return await self._do(visit, handled, verb)

    async def note(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/note"""
        handled, text = await self.pages.incident(visit), _text(visit)

        async def verb() -> str:
            await self._acting.note(visit.person, handled.queue_id, text)
            return "noted"

        return await self._do(visit, handled, verb if text else _nothing)

    async def ask(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/ask: the ticked recipients get a letter each, or all, where their number was typed."""
        handled, said = await self.pages.incident(visit), dict(visit.fields)
        paragraph, every = said.get("paragraph", "").strip(), said.get("every", "0")
        if len(paragraph) > PARAGRAPH or every not in EVERY:
            raise Failure(400)
        chosen = tuple(sorted(numbers(visit.fields, "recipient")))
        if said.get("all") == "1":
            chosen = incident_view.unasked(handled, await self.pages.message(handled))
        asking = Asking(chosen, paragraph, EVERY[every])

        async def verb() -> str:
            if said.get("all") == "1" and said.get("count", "").strip() != str(len(chosen)):
                return "count"
            await self._acting.ask(visit.person, handled.queue_id, asking)
            self.pages.reporting.ring()
            return "asked"

        return await self._do(visit, handled, verb)

    async def remind(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/remind: once more, to the ticked recipients who did not answer."""
        handled, chosen = await self.pages.incident(visit), numbers(visit.fields, "again")

        async def verb() -> str:
            await self._acting.remind(visit.person, handled.queue_id, chosen)
            self.pages.reporting.ring()
            return "reminded"

        return await self._do(visit, handled, verb)

    async def close(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/close, with a reason."""
        handled, text = await self.pages.incident(visit, Act.HANDLE), _text(visit)

        async def verb() -> str:
            await self._acting.close(visit.person, handled.queue_id, text)
            return "closed-now"

        return await self._do(visit, handled, verb if text else _nothing)

    async def reopen(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/reopen, with a reason."""
        handled, text = await self.pages.incident(visit, Act.HANDLE), _text(visit)

        async def verb() -> str:
            await self._acting.reopen(visit.person, handled.queue_id, text)
            return "reopened"

        return await self._do(visit, handled, verb if text else _nothing)

    @property
    def _acting(self) -> ActingOnIncidents:
        return self.pages.acting

    async def _do(self, visit: Visit, incident: Incident, verb: Verb) -> Response:
        try:
            did = await verb()
        except IncidentRefused as refused:
            did = refused.why
        log.info("incident-handled", queue_id=incident.queue_id, did=did, by=visit.person.login)
        return self.pages.done(visit, incident.queue_id, did)


async def _nothing() -> str:
    """Stand for a verb of somebody who pressed without writing anything."""
    return "empty"


def _text(visit: Visit) -> str:
    text = dict(visit.fields).get("text", "").strip()
    if len(text) > TEXT:
        raise Failure(400)
    return text
