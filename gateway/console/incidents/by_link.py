"""The pages behind the two links of an incident: /i/ reports a mail, /r/ says that a wrong recipient deleted it.

Each link is a capability of its own kind (docs/decisions/0093-incidents.md). A GET or HEAD, as scanners of links send them,
changes nothing. What a stranger may learn at /r/ is what the letter said that brought the link.
"""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway.acting.allowed import COLLEAGUE
from gateway.acting.on_incidents import Reported, reportable
from gateway.console import view
from gateway.console.incidents import incident_view
from gateway.console.incidents.report_form import Form
from gateway.console.incidents.reporting import Reporting, actor_by_link
from gateway.console.pages import Failure
from gateway.incidents import wording
from gateway.incidents.contract import ANSWERS, COMMENT, Account, Answer, IncidentRefused
from gateway.incidents.contract import Request as Asked
from gateway.languages import shown
from gateway.links import ShareClaim
from gateway.message.address import parse_path
from gateway.spool.values import Actor, Stored
from gateway.values import dataclass

MOST = 64 << 10  # octets of the form at /r/: one word and a comment

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReportByLink:
    """GET and POST /i/{token}"""

    reporting: Reporting

    async def show(self, request: Request) -> Response:
        """Show the form, or the incident where there is one."""
        token, what = await self._what(request)
        incident = await self.reporting.incidents.find(what.message.queue_id)
        if incident is None:
            return await self._form(request, token, what, None)
        desk = self.reporting.desk
        language = desk.language(request, what.message)
        words = desk.pages.words(language)
        found = self.reporting.incidents.duty.verdict(incident.account, incident.organisation)
        page = incident_view.build(incident, what.named, None, found, words, desk.clock())
        return desk.pages.render("incident-reported.html", language, {"page": page})

    async def open(self, request: Request) -> Response:
        """Open the incident, and lead back to the page."""
        token, what = await self._what(request)
        desk = self.reporting.desk
        fields = await desk.form(request, token)
        words = desk.pages.words(desk.language(request, what.message))

        async def press(account: Account) -> bool:
            incidents = self.reporting.incidents
            return await incidents.open(what.message, what.whose, account, what.actor, desk.clock())

        form = await self.reporting.open(what, fields, words, press)
        if form is not None:
            return await self._form(request, token, what, form)
        return desk.back(request, f"/i/{token}", token, {"act": "opened"})

    async def _what(self, request: Request) -> tuple[str, Reported]:
        token = request.path_params["token"]
        claim = self.reporting.desk.links.read_incident(token)
        await self.reporting.desk.still_speaks(claim.person)
        message = await reportable(self.reporting.desk.spool, claim.queue_id)
        whose = await self.reporting.desk.spool.lists.whose(claim.queue_id)
        actor = actor_by_link(message, claim.person)
        hidden = await self._hidden(message, actor) if actor.kind == COLLEAGUE else frozenset[int]()
        return token, Reported(message, whose, actor, hidden)

    async def _hidden(self, message: Stored, actor: Actor) -> frozenset[int]:
        """Return whom a colleague does not see in their own copy: who got a blind one is named to none of the others."""
        facts = await self.reporting.desk.spool.lists.facts(message.queue_id)
        seen = {address.key for address in facts.visible} - facts.blind if facts is not None else set[str]()
        seen.add(parse_path(actor.name).key)
        return frozenset(row.index for row in message.recipients if row.address.key not in seen)

    async def _form(self, request: Request, token: str, what: Reported, form: Form | None) -> Response:
        desk = self.reporting.desk
        language = desk.language(request, what.message)
        values = await self.reporting.values(what, desk.pages.words(language), form)
        frame = {
            "action": f"{desk.links.base_path}/i/{token}{desk.query(request)}",
            "seal": desk.form_seal(token),
            "as_person": shown(what.actor.name, view.ADDRESS),
        }
        status = 200 if form is None else 422
        return desk.pages.render("incident-by-link.html", language, {**frame, **values}, status)


@dataclass(frozen=True, slots=True)
class DeletionAnswers:
    """GET and POST /r/{token}"""

    reporting: Reporting

    async def show(self, request: Request) -> Response:
        """Show what is asked, and what was answered."""
        token, claim, asked = await self._asked(request)
        return await self._page(request, token, claim, asked)

    async def answer(self, request: Request) -> Response:
        """Write the answer down, and lead back to the page."""
        token, claim, asked = await self._asked(request)
        desk = self.reporting.desk
        fields = dict(await desk.form(request, token, MOST))
        comment = fields.get("comment", "").strip()
        if len(comment) > COMMENT or fields.get("answer") not in {each.value for each in Answer}:
            raise Failure(400)
        said = Answer(fields["answer"])
        try:
            await self.reporting.incidents.answer(
                claim.queue_id, claim.recipient, said, comment, desk.clock()
            )
        except IncidentRefused:
            return await self._page(request, token, claim, asked)  # it says that no more is taken
        log.info("deletion-answered", queue_id=claim.queue_id, answer=said.value)
        return desk.back(request, f"/r/{token}", token, {"act": "answered"})

    async def _asked(self, request: Request) -> tuple[str, ShareClaim, Asked]:
        token = request.path_params["token"]
        claim = self.reporting.desk.links.read_deletion(token)
        found = await self.reporting.incidents.request(claim.queue_id, claim.recipient)
        if found is None:  # the incident is over for long
            raise Failure(410)
        return token, claim, found

    async def _page(self, request: Request, token: str, claim: ShareClaim, asked: Asked) -> Response:
        desk = self.reporting.desk
        message: Stored = await desk.spool.get(claim.queue_id)
        language = desk.language(request, message)
        words = desk.pages.words(language)
        values = {
            "subject": view.subject_of(message, words),
            "sender": shown(str(message.envelope.sender or "<>"), view.ADDRESS),
            "sent": wording.moment(message.received_at, words),
            "zone": words.zone_name(),
            "answer": None if asked.answer is None else asked.answer.value,
            "answered": "" if asked.answered_at is None else wording.moment(asked.answered_at, words),
            "may_answer": asked.answers < ANSWERS,
            "longest": COMMENT,
            "action": f"{desk.links.base_path}/r/{token}{desk.query(request)}",
            "seal": desk.form_seal(token),
        }
        return desk.pages.render("deletion-answer.html", language, values)
