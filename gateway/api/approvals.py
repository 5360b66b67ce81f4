"""/approvals and /me/absences: what waits for the approval of the token's person, and when they are away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from gateway.acting.approving import Approving
from gateway.acting.away import Away
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.mail_shapes import MailTold, mail_told
from gateway.api.problems import Refused
from gateway.api.shapes import After, Moment, Page, Said, problems
from gateway.people.contract import Person, Role, TokenScope
from gateway.spool.absences import TooManyAbsences
from gateway.spool.attendance import MAX_NOTE

AT_ONCE = 50  # mails of one page: each is read whole

reading = APIRouter(tags=["approvals"])
acting = APIRouter(tags=["approvals"], route_class=Verb)

Approves = Annotated[Caller, calling(TokenScope.APPROVE)]


class AbsenceShape(Said):
    """From when until when this person is away, for all of their mailboxes, and a note for those who look for them."""

    since: Moment
    until: Moment
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class AbsenceTold(BaseModel):
    since: datetime
    until: datetime
    note: str


@reading.get("/approvals", responses=problems())
async def approvals(
    request: Request,
    caller: Approves,
    limit: Annotated[int, Query(ge=1, le=AT_ONCE)] = AT_ONCE,
    after: After = "",
) -> Page[MailTold]:
    """List what waits for this person's approval, the soonest deadline first."""
    try:
        page, seen = await Approving(doors_of(request).acting).asked(caller.person, after, limit)
    except ValueError:
        raise Refused(422, "invalid", "`after` is no cursor of this list") from None
    return Page(items=[mail_told(each) for each in seen], next=page.after or None)


@reading.get("/me/absences", responses=problems())
async def absences(request: Request, caller: Approves) -> list[AbsenceTold]:
    """Return when this person is away, from now on."""
    found = await _away(request).of(caller.person)
    spans = sorted({(each.since, each.until, each.note) for each in found})
    return [AbsenceTold(since=since, until=until, note=note) for since, until, note in spans]


@acting.post("/me/absences", status_code=201, responses=problems())
async def be_away(request: Request, caller: Approves, said: AbsenceShape) -> AbsenceTold:
    """Say when this person is away: others see it, and who can stand in is asked. Who is away may decide all the same."""
    try:
        await _away(request).say(_approver(caller), said.since, said.until, said.note)
    except ValueError:
        raise Refused(422, "invalid", "an absence ends after it begins, and in time to come") from None
    except TooManyAbsences:
        raise Refused(422, "invalid", "there are too many absences of this person already") from None
    return AbsenceTold(since=said.since, until=said.until, note=said.note)


@acting.delete("/me/absences", status_code=204, responses=problems())
async def be_there(request: Request, caller: Approves, since: Moment) -> None:
    """Take back the absence that begins then."""
    await _away(request).take_back(_approver(caller), since)


def _away(request: Request) -> Away:
    doors = doors_of(request)
    return Away(doors.acting.spool, doors.clock)


def _approver(caller: Caller) -> Person:
    if Role.APPROVER not in caller.person.roles:
        raise Refused(403, "role", "only who approves says when they are away")
    return caller.person
