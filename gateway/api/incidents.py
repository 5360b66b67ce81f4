"""/incidents: mail that went to the wrong people, reported and handled by the verbs of the console.

An incident is named by its mail. What people wrote is told to those who may see the incident.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gateway.acting.on_incidents import ActingOnIncidents
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.mail_shapes import TakenBackTold, taken_told
from gateway.api.mails import Number, Numbers
from gateway.api.problems import Refused
from gateway.api.shapes import After, Moment, Page, QueueId, Said, problems
from gateway.incidents.clocks import Ground
from gateway.incidents.contract import (
    MAX_PERSONS,
    PARAGRAPH,
    TEXT,
    Account,
    Answer,
    Asking,
    Data,
    Incident,
    IncidentLine,
    NoteKind,
    Report,
    What,
)
from gateway.people.contract import TokenScope

EVERY = {2, 3, 7}  # days between reminders that somebody may choose, as on the page

reading = APIRouter(tags=["incidents"])
acting = APIRouter(tags=["incidents"], route_class=Verb)

Handles = Annotated[Caller, calling(TokenScope.INCIDENT)]
Long = Annotated[str, Field(max_length=TEXT)]
Written = Annotated[str, Field(min_length=1, max_length=TEXT)]


class AccountShape(Said):
    """What somebody tells: what went wrong, who the wrong recipients are (none named: all), whose and what data it is.

    `persons` is null where nobody knows yet. From `known_at`, which has a time zone, the clocks of the law run.
    """

    what: What
    wrong: Annotated[list[Number], Field(max_length=100_000, default_factory=list)]
    data: Annotated[list[Data], Field(max_length=len(Data), default_factory=list)]
    persons: Annotated[int | None, Field(ge=0, le=MAX_PERSONS)] = None
    known_at: Moment
    description: Long = ""


class NewIncident(AccountShape):
    queue_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,32}$")]


class WrittenShape(Said):
    text: Written


class AskingShape(Said):
    """Whom to ask to delete the mail; `every` days they are reminded, twice at most; null for never."""

    recipients: Numbers
    paragraph: Annotated[str, Field(max_length=PARAGRAPH)] = ""
    every: int | None = None


class WhomShape(Said):
    recipients: Numbers


class ReportShape(Said):
    report: Report


class LineTold(BaseModel):
    queue_id: str
    opened_at: datetime
    what: What
    persons: int | None
    open: bool
    asked: int
    answered: int


class ClockTold(BaseModel):
    """A report that is due: better by `soon`, at the latest on `due`."""

    report: Report
    soon: date
    due: date
    handed_in_at: datetime | None


class NoteTold(BaseModel):
    kind: NoteKind
    at: datetime
    writer: str
    text: str | None


class RequestTold(BaseModel):
    """A wrong recipient who was asked to delete the mail, and the answer."""

    recipient: int
    asked_at: datetime
    answer: Answer | None
    answered_at: datetime | None
    reminders: int
    comment: str | None


class IncidentTold(BaseModel):
    """An incident. The clocks are what the law asks for as far as the account tells; people decide."""

    queue_id: str
    opened_at: datetime
    opened_by: str
    open: bool
    what: What
    wrong: list[int]
    data: list[Data]
    persons: int | None
    known_at: datetime
    grounds: list[Ground]
    clocks: list[ClockTold]
    taken_back: TakenBackTold
    notes: list[NoteTold]
    requests: list[RequestTold]


class Whom(BaseModel):
    """Whom a letter was written to."""

    recipients: list[int]


@reading.get("/incidents", responses=problems())
async def incidents(
    request: Request, caller: Handles, after: After = "", only_open: bool = False
) -> Page[LineTold]:
    """List incidents, newest first."""
    try:
        page = await _verbs(request).page(caller.person, after, only_open=only_open)
    except ValueError:
        raise Refused(422, "invalid", "`after` is no cursor of this list") from None
    return Page(items=[_line(line) for line in page.lines], next=page.after or None)


@acting.post("/incidents", status_code=201, responses=problems(404, 409))
async def report(request: Request, caller: Handles, said: NewIncident) -> IncidentTold:
    """Report a mail. What can be stopped is stopped at once, the ordering body and the privacy officer are told.

    A mail has one incident: reported again it changes nothing.
    """
    try:
        await _verbs(request).open(caller.person, said.queue_id, _account(said))
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
        await _verbs(request).amend(caller.person, queue_id, _account(said))
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
    return _incident(found, verbs)


def _account(said: AccountShape) -> Account:
    wrong = tuple(sorted(set(said.wrong)))
    return Account(said.what, wrong, frozenset(said.data), said.persons, said.known_at, said.description)


def _line(line: IncidentLine) -> LineTold:
    return LineTold(
        queue_id=line.queue_id,
        opened_at=line.opened_at,
        what=line.what,
        persons=line.persons,
        open=line.open,
        asked=line.asked,
        answered=line.answered,
    )


def _incident(incident: Incident, verbs: ActingOnIncidents) -> IncidentTold:
    account, done = incident.account, dict(incident.reported)
    verdict = verbs.incidents.duty.verdict(account, incident.organisation)
    return IncidentTold(
        queue_id=incident.queue_id,
        opened_at=incident.opened_at,
        opened_by=incident.opener.name,
        open=incident.open,
        what=account.what,
        wrong=list(account.wrong),
        data=sorted(account.data),
        persons=account.persons,
        known_at=account.known_at,
        grounds=list(verdict.grounds),
        clocks=[
            ClockTold(report=each.report, soon=each.soon, due=each.due, handed_in_at=done.get(each.report))
            for each in verdict.clocks
        ],
        taken_back=taken_told(incident.taken),
        notes=[
            NoteTold(kind=each.kind, at=each.at, writer=each.writer, text=each.text)
            for each in incident.notes
        ],
        requests=[
            RequestTold(
                recipient=each.recipient,
                asked_at=each.asked_at,
                answer=each.answer,
                answered_at=each.answered_at,
                reminders=each.reminders,
                comment=each.comment,
            )
            for each in incident.requests
        ],
    )
