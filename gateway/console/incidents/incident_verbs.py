"""What people do on the page of an incident: each a POST that does one thing and leads back there.

What a press did, or why it did nothing, comes back sealed to the session, so that nobody can make the page say it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.responses import Response

from gateway.console.forms import numbers
from gateway.console.gate import Visit
from gateway.console.incidents import incident_view, report_form
from gateway.console.incidents.incident_pages import EVERY, IncidentPages, actor_of
from gateway.console.pages import Failure
from gateway.incidents.contract import PARAGRAPH, TEXT, Asking, Incident, IncidentRefused, Report
from gateway.incidents.door import Incidents
from gateway.people.sight import Act
from gateway.spool.contract import Actor

log = structlog.get_logger()
Verb = Callable[[Incident, Actor], Awaitable[str]]
"""Does it, and gives the word for what was done; raises IncidentRefused."""


@dataclass(frozen=True, slots=True)
class IncidentVerbs:
    """The handlers; `pages` shows what they lead back to."""

    pages: IncidentPages

    async def amend(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/amend: shows the page again where the form is wrong."""
        pages, words, now = self.pages, self.pages.words(visit), self.pages.now()
        incident = await pages.incident(visit, Act.HANDLE)
        message = await pages.message(incident)
        found = report_form.read(visit.fields, message, words, now)
        if found.account is None:
            return await pages.one(visit, incident, report_form.again(message, found, words, now))
        account = found.account

        async def verb(incident: Incident, actor: Actor) -> str:
            await self._incidents.amend(incident.queue_id, account, actor, now)
            return "amended"

        return await self._do(visit, incident, verb)

    async def reported(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/reported: a report was handed in."""
        handled = await self.pages.incident(visit, Act.HANDLE)
        try:
            report = Report(dict(visit.fields).get("report", ""))
        except ValueError:
            raise Failure(400) from None

        async def verb(incident: Incident, actor: Actor) -> str:
            await self._incidents.handed_in(incident.queue_id, report, actor, self.pages.now())
            return "reported"

        return await self._do(visit, handled, verb)

    async def note(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/note"""
        handled, text = await self.pages.incident(visit), _text(visit)

        async def verb(incident: Incident, actor: Actor) -> str:
            await self._incidents.note(incident.queue_id, text, actor, self.pages.now())
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

        async def verb(incident: Incident, actor: Actor) -> str:
            if said.get("all") == "1" and said.get("count", "").strip() != str(len(chosen)):
                return "count"
            await self._incidents.ask(incident.queue_id, asking, actor, self.pages.now())
            self.pages.reporting.ring()
            return "asked"

        return await self._do(visit, handled, verb)

    async def remind(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/remind: once more, to the ticked recipients who did not answer."""
        handled, chosen = await self.pages.incident(visit), numbers(visit.fields, "again")

        async def verb(incident: Incident, actor: Actor) -> str:
            await self._incidents.remind(incident.queue_id, chosen, actor, self.pages.now())
            self.pages.reporting.ring()
            return "reminded"

        return await self._do(visit, handled, verb)

    async def close(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/close, with a reason."""
        handled, text = await self.pages.incident(visit, Act.HANDLE), _text(visit)

        async def verb(incident: Incident, actor: Actor) -> str:
            await self._incidents.close(incident.queue_id, text, actor, self.pages.now())
            return "closed-now"

        return await self._do(visit, handled, verb if text else _nothing)

    async def reopen(self, visit: Visit) -> Response:
        """POST /incidents/{queue_id}/reopen, with a reason."""
        handled, text = await self.pages.incident(visit, Act.HANDLE), _text(visit)

        async def verb(incident: Incident, actor: Actor) -> str:
            await self._incidents.reopen(incident.queue_id, text, actor, self.pages.now())
            return "reopened"

        return await self._do(visit, handled, verb if text else _nothing)

    @property
    def _incidents(self) -> Incidents:
        return self.pages.reporting.incidents

    async def _do(self, visit: Visit, incident: Incident, verb: Verb) -> Response:
        try:
            actor = actor_of(visit.person, incident.whose, await self.pages.message(incident))
            did = await verb(incident, actor)
        except IncidentRefused as refused:
            did = refused.why
        log.info("incident-handled", queue_id=incident.queue_id, did=did, by=visit.person.login)
        return self.pages.done(visit, incident.queue_id, did)


async def _nothing(incident: Incident, actor: Actor) -> str:
    """Stand for a verb of somebody who pressed without writing anything."""
    return "empty"


def _text(visit: Visit) -> str:
    text = dict(visit.fields).get("text", "").strip()
    if len(text) > TEXT:
        raise Failure(400)
    return text
