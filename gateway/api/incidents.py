"""/incidents: mail that went to the wrong people, reported and handled by the verbs of the console.

An incident is named by its mail. What people wrote is told to those who may see the incident.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request

from gateway.acting.on_incidents import ActingOnIncidents
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.incident_shapes import (
    AccountShape,
    AskingShape,
    IncidentTold,
    LineTold,
    NewIncident,
    ReportShape,
    Whom,
    WhomShape,
    WrittenShape,
    account_of,
    incident_told,
    line_told,
)
from gateway.api.problems import Refused
from gateway.api.shapes import After, Page, QueueId, problems
from gateway.incidents.contract import Asking
from gateway.people.contract import TokenScope

EVERY = {2, 3, 7}  # days between reminders that somebody may choose, as on the page

reading = APIRouter(tags=["incidents"])
acting = APIRouter(tags=["incidents"], route_class=Verb)

Handles = Annotated[Caller, calling(TokenScope.INCIDENT)]


@reading.get("/incidents", responses=problems())
async def incidents(
    request: Request, caller: Handles, after: After = "", only_open: bool = False
) -> Page[LineTold]:
    """List incidents, newest first."""
    try:
        page = await _verbs(request).page(caller.person, after, only_open=only_open)
    except ValueError:
        raise Refused(422, "invalid", "`after` is no cursor of this list") from None
    return Page(items=[line_told(line) for line in page.lines], next=page.after or None)


@acting.post("/incidents", status_code=201, responses=problems(404, 409))
async def report(request: Request, caller: Handles, said: NewIncident) -> IncidentTold:
    """Report a mail. What can be stopped is stopped at once, the ordering body and the privacy officer are told.

    A mail has one incident: reported again it changes nothing.
    """
    try:
        await _verbs(request).open(caller.person, said.queue_id, account_of(said))
    except ValueError as error:
        raise Refused(422, "invalid", str(error)) from None
    return await _told(request, caller, said.queue_id)


@reading.get("/incidents/{queue_id}", responses=problems(404))
async def incident(request: Request, caller: Handles, queue_id: QueueId) -> IncidentTold:
    """Return one incident."""
    return await _told(request, caller, queue_id)


@acting.post("/incidents/{queue_id}/note", responses=problems(404, 409))
async def note(request: Request, caller: Handles, queue_id: QueueId, said: WrittenShape) -> IncidentTold:
    """Add a note."""
    await _verbs(request).note(caller.person, queue_id, said.text)
    return await _told(request, caller, queue_id)


@acting.post("/incidents/{queue_id}/ask", responses=problems(404, 409))
async def ask(request: Request, caller: Handles, queue_id: QueueId, said: AskingShape) -> Whom:
    """Ask wrong recipients to delete the mail, each in a letter of their own."""
    if said.every is not None and said.every not in EVERY:
        raise Refused(422, "invalid", "`every` is 2, 3 or 7 days, or null")
    every = None if said.every is None else timedelta(days=said.every)
    asking = Asking(tuple(sorted(set(said.recipients))), said.paragraph, every)
    return Whom(recipients=list(await _verbs(request).ask(caller.person, queue_id, asking)))


@acting.post("/incidents/{queue_id}/remind", responses=problems(404, 409))
async def remind(request: Request, caller: Handles, queue_id: QueueId, said: WhomShape) -> Whom:
    """Ask those who have not answered once more."""
    told = await _verbs(request).remind(caller.person, queue_id, frozenset(said.recipients))
    return Whom(recipients=list(told))


@acting.put("/incidents/{queue_id}", responses=problems(404, 409))
async def amend(request: Request, caller: Handles, queue_id: QueueId, said: AccountShape) -> IncidentTold:
    """Correct what was told; the clocks run anew from it."""
    try:
        await _verbs(request).amend(caller.person, queue_id, account_of(said))
    except ValueError as error:
        raise Refused(422, "invalid", str(error)) from None
    return await _told(request, caller, queue_id)


@acting.post("/incidents/{queue_id}/reported", responses=problems(404, 409))
async def reported(request: Request, caller: Handles, queue_id: QueueId, said: ReportShape) -> IncidentTold:
    """Note that a report was handed in."""
    await _verbs(request).handed_in(caller.person, queue_id, said.report)
    return await _told(request, caller, queue_id)


@acting.post("/incidents/{queue_id}/close", responses=problems(404, 409))
async def close(request: Request, caller: Handles, queue_id: QueueId, said: WrittenShape) -> IncidentTold:
    """Close it, and say why; nobody is reminded any more."""
    await _verbs(request).close(caller.person, queue_id, said.text)
    return await _told(request, caller, queue_id)


@acting.post("/incidents/{queue_id}/reopen", responses=problems(404, 409))
async def reopen(request: Request, caller: Handles, queue_id: QueueId, said: WrittenShape) -> IncidentTold:
    """Open it again, and say why."""
    await _verbs(request).reopen(caller.person, queue_id, said.text)
    return await _told(request, caller, queue_id)


def _verbs(request: Request) -> ActingOnIncidents:
    return doors_of(request).incidents


async def _told(request: Request, caller: Caller, queue_id: str) -> IncidentTold:
    verbs = _verbs(request)
    found = await verbs.get(caller.person, queue_id)
    verdict = verbs.incidents.duty.verdict(found.account, found.organisation)
    return incident_told(found, verdict)
