"""/figures: counts by day, for whoever draws their own plots. Counts only, within what the token's person may see."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.problems import Refused
from gateway.api.shapes import problems
from gateway.audit.daily import WAITS, Day, Measure
from gateway.people.contract import Role, TokenScope
from gateway.people.sight import Act, scope_of

MOST_DAYS = 366  # in one answer

reading = APIRouter(tags=["figures"])

Reads = Annotated[Caller, calling(TokenScope.FIGURES_READ)]


class WaitTold(BaseModel):
    """How many approvals came within so many seconds (null: later than all others)."""

    within_s: int | None
    approvals: int


class DayTold(BaseModel):
    """One day in the organisation's time zone. `mails` were handed in by people; the others are counts of mails."""

    day: date
    mails: int
    free: int
    held: int
    refused: int
    saved: int
    rejected: int
    lapsed: int
    approved: int
    incidents: int
    waits: list[WaitTold]


@reading.get("/figures", responses=problems())
async def figures(request: Request, caller: Reads, first: date, last: date) -> list[DayTold]:
    """Count the days from `first` to `last`, both included: `saved` mails were cancelled by somebody who looked again."""
    if not any(role in caller.person.roles for role in (Role.ADMIN, Role.AUDITOR, Role.ORDERING)):
        raise Refused(403, "role", "figures are for administrators, auditors and ordering bodies")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Refused(422, "invalid", f"`first` is not after `last`, and they are at most {MOST_DAYS} days")
    daily = doors_of(request).daily
    if last > daily.today():
        raise Refused(422, "invalid", "`last` is a day to come")
    scope = scope_of(caller.person, Act.FIGURES)
    return [_told(day) for day in await daily.days(scope, first, last)]


def _told(day: Day) -> DayTold:
    bounds: list[int | None] = [*WAITS, None]
    return DayTold(
        day=day.day,
        mails=day.mails,
        free=day.of(Measure.FREE),
        held=day.of(Measure.HELD),
        refused=day.of(Measure.REFUSED),
        saved=day.of(Measure.SAVED),
        rejected=day.of(Measure.REJECTED),
        lapsed=day.of(Measure.LAPSED),
        approved=day.of(Measure.APPROVED),
        incidents=day.of(Measure.INCIDENTS),
        waits=[
            WaitTold(within_s=bound, approvals=count) for bound, count in zip(bounds, day.waits, strict=True)
        ],
    )
