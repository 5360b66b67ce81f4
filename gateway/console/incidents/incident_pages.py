"""The pages of incidents for people with an account: the list, the report form, one incident, its draft report.

Whether a person may see an incident, and act on it, gateway/acting/on_incidents.py says, as for the API: REPORT to see it,
to note and to ask recipients; HANDLE to correct, to mark reports, to close. What is not theirs is not there (404).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from urllib.parse import quote

import structlog
from starlette.responses import Response

from gateway.acting.allowed import NotAllowed, acts_on
from gateway.acting.on_incidents import ActingOnIncidents, Reported
from gateway.audit.timeline import Timeline
from gateway.console import view
from gateway.console.gate import Visit
from gateway.console.incidents import incident_view, report_form
from gateway.console.incidents.incident_words import choices, refusal_of, said_of
from gateway.console.incidents.report_form import Form
from gateway.console.incidents.reporting import Reporting
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.incidents import wording
from gateway.incidents.contract import (
    PARAGRAPH,
    REMINDERS,
    TEXT,
    Account,
    Incident,
    UnknownIncident,
)
from gateway.incidents.draft import CONTENT_TYPE, draft
from gateway.languages import Words, shown
from gateway.links import LinkInvalid
from gateway.people.sight import Act
from gateway.spool.contract import UnknownMessage
from gateway.spool.values import Stored
from gateway.values import dataclass

HERE = "/incidents"
MAX_QUEUE_ID = 64  # characters; ours have 16

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IncidentPages:
    """The handlers; `reporting` is shared with the pages behind links, `acting` has the verbs, as somebody."""

    site: Site
    reporting: Reporting
    acting: ActingOnIncidents

    async def list(self, visit: Visit) -> Response:
        """GET /incidents"""
        query = visit.request.query_params
        only_open, after = query.get("open") == "1", query.get("after", "")
        try:
            page = await self.acting.page(visit.person, after, only_open=only_open)
        except ValueError:
            raise Failure(400) from None
        words = self.words(visit)
        names = wording.what_names(words)
        rows = [
            {
                "path": f"{HERE}/{line.queue_id}",
                "queue_id": line.queue_id,
                "opened": wording.moment(line.opened_at, words),
                "subject": shown(line.subject, view.SUBJECT) or words.gettext("(no subject)"),
                "sender": shown(line.sender, view.ADDRESS),
                "what": names[line.what],
                "persons": wording.persons(line.persons, words),
                "open": line.open,
                "asked": line.asked,
                "answered": line.answered,
            }
            for line in page.lines
        ]
        following = f"{HERE}?after={quote(page.after)}{'&open=1' if only_open else ''}" if page.after else ""
        values = {"rows": rows, "only_open": only_open, "next": following, "first": HERE if after else ""}
        return self.site.page(visit, "incidents.html", values, here=HERE)

    async def new(self, visit: Visit) -> Response:
        """GET /incidents/new?mail=QUEUEID: the form, or the incident that is there."""
        what = await self._reported(visit)
        if await self.reporting.incidents.find(what.message.queue_id) is not None:
            return self.site.to(visit, f"{HERE}/{what.message.queue_id}")
        return await self._form(visit, what, None)

    async def open(self, visit: Visit) -> Response:
        """POST /incidents/new?mail=QUEUEID"""
        what = await self._reported(visit)

        async def press(account: Account) -> bool:
            return await self.acting.open(visit.person, what.message.queue_id, account)

        form = await self.reporting.open(what, visit.fields, self.words(visit), press)
        if form is not None:
            return await self._form(visit, what, form)
        return self.done(visit, what.message.queue_id, "opened")

    async def show(self, visit: Visit) -> Response:
        """GET /incidents/{queue_id}"""
        incident = await self.incident(visit)
        return await self.one(visit, incident, None)

    async def draft(self, visit: Visit) -> Response:
        """GET /incidents/{queue_id}/draft.docx"""
        incident, words = await self.incident(visit), self.words(visit)
        message = await self.message(incident)
        story = await self._story(visit, incident, message)
        found = self.reporting.incidents.duty.verdict(incident.account, incident.organisation)
        now = self.site.desk.clock()
        made = await asyncio.to_thread(draft, incident, message, story, found, words.zone, now)
        log.info("incident-draft", queue_id=incident.queue_id, by=visit.person.login)
        name = f"incident-{incident.queue_id}.docx"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(made, media_type=CONTENT_TYPE, headers=headers)

    def done(self, visit: Visit, queue_id: str, did: str) -> Response:
        """Lead to the page, which says what was done."""
        said = self.site.desk.links.seal(visit.session.key, {"did": did, "about": queue_id})
        return self.site.to(visit, f"{HERE}/{queue_id}?said={quote(said)}")

    async def one(self, visit: Visit, incident: Incident, form: Form | None) -> Response:
        """Return the page of an incident; `form` is one that was wrong."""
        words, now = self.words(visit), self.now()
        message = await self.message(incident)
        story = await self._story(visit, incident, message)
        found = self.reporting.incidents.duty.verdict(incident.account, incident.organisation)
        amending = form or report_form.of_account(message, incident.account, words, now)
        did, may = self._did(visit, incident.queue_id), acts_on(visit.person, incident.whose)
        values = {
            "page": incident_view.build(incident, message, story, found, words, now),
            "f": amending,
            "handles": Act.HANDLE in may,
            "sees_mail": Act.SEE in may,
            "action": f"{self.site.desk.links.base_path}{HERE}/{incident.queue_id}",
            "said": said_of(did, words),
            "wrong": refusal_of(did, words),
            "longest": TEXT,
            "paragraph": PARAGRAPH,
            "reminders": REMINDERS,
            "every": choices(words),
        }
        status = 200 if form is None else 422
        return await asyncio.to_thread(
            self.site.page, visit, "incident.html", values, here=HERE, status=status
        )

    async def _story(self, visit: Visit, incident: Incident, message: Stored | None) -> Timeline | None:
        """Return what the log tells; of copies that a rule asked for only to who reads the log (decision 0054)."""
        known = None
        if Act.LOG not in acts_on(visit.person, incident.whose):
            known = (
                frozenset(row.index for row in message.as_handed_in.recipients) if message else frozenset()
            )
        return await self.reporting.incidents.timeline(incident.queue_id, self.words(visit), known)

    async def _form(self, visit: Visit, what: Reported, form: Form | None) -> Response:
        values = await self.reporting.values(what, self.words(visit), form)
        path = f"{self.site.desk.links.base_path}{HERE}/new?mail={quote(what.message.queue_id)}"
        status = 200 if form is None else 422
        return self.site.page(
            visit, "incident-new.html", {**values, "action": path}, here=HERE, status=status
        )

    async def _reported(self, visit: Visit) -> Reported:
        queue_id = visit.request.query_params.get("mail", "")
        if not queue_id.isalnum() or len(queue_id) > MAX_QUEUE_ID:
            raise Failure(404)
        try:
            return await self.acting.reported(visit.person, queue_id)
        except NotAllowed:
            raise Failure(404) from None

    async def incident(self, visit: Visit, act: Act = Act.REPORT) -> Incident:
        """Return the incident; raises Failure 404 for one that is not this person's, 403 where it is theirs to see alone."""
        try:
            return await self.acting.get(visit.person, str(visit.request.path_params["queue_id"]), act)
        except UnknownIncident:
            raise Failure(404) from None
        except NotAllowed:
            raise Failure(403) from None

    async def message(self, incident: Incident) -> Stored | None:
        """Return the mail; None where its records are gone, or nobody can read them."""
        try:
            message = await self.site.desk.spool.get(incident.queue_id)
        except UnknownMessage:
            return None
        return None if message.unreadable else message

    def _did(self, visit: Visit, queue_id: str) -> str:
        sealed = visit.request.query_params.get("said", "")
        try:
            said = self.site.desk.links.unseal(visit.session.key, sealed) if sealed else {}
        except LinkInvalid:
            return ""
        return str(said.get("did", "")) if said.get("about") == queue_id else ""

    def words(self, visit: Visit) -> Words:
        """Return the words of the reader's language."""
        return self.site.desk.pages.words(visit.language)

    def now(self) -> datetime:
        """Return what the clock says."""
        return self.site.desk.clock()
