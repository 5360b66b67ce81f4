"""/record and /certificates: papers about one group and time, by the verbs of the console.

A record is read out of the log; a certificate is made once, signed and kept. Programs have one made at a time in a process.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gateway.acting.allowed import reader_of_log
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of, turn_of
from gateway.api.idempotent import Verb
from gateway.api.problems import Refused
from gateway.api.shapes import SpanShape, problems
from gateway.audit.certificates import TooMany
from gateway.audit.certificates import question as destroyed_in
from gateway.audit.record import Figures, month
from gateway.people.contract import Person, TokenScope
from gateway.people.sight import reads_log_of

MAX_NUMBER = 999_999_999_999

reading = APIRouter(tags=["log"])
making = APIRouter(tags=["log"], route_class=Verb)

Reads = Annotated[Caller, calling(TokenScope.LOG_READ)]
Group = Annotated[str, Query(max_length=254, description="a group of the policy; empty: everybody")]


class CertificateShape(SpanShape):
    group: Annotated[str, Field(max_length=254)] = ""


class RecordTold(BaseModel):
    """The management record of one group and month; `over` tells that the month is."""

    group: str
    since: datetime
    until: datetime
    made_at: datetime
    over: bool
    figures: dict[str, int | dict[str, int]]


class CertificateTold(BaseModel):
    number: int
    at: datetime
    group: str


@reading.get("/record", responses=problems(404, 429))
async def record(
    request: Request,
    caller: Reads,
    when: Annotated[str, Query(alias="month", pattern=r"^[0-9]{4}-[0-9]{2}$", description="2026-11")],
    group: Group = "",
) -> RecordTold:
    """Return the figures of the management record of one group and month."""
    _must_see(caller.person, group)
    try:
        since, until = month(when, doors_of(request).zone)
    except ValueError:
        raise Refused(422, "invalid", "`month` is written 2026-11") from None
    async with turn_of(request):
        made = await doors_of(request).auditing.record(group, since, until)
    return RecordTold(
        group=made.group,
        since=made.since,
        until=made.until,
        made_at=made.made_at,
        over=made.over,
        figures=_figures(made.figures),
    )


@reading.get("/certificates", responses=problems())
async def certificates(request: Request, caller: Reads) -> list[CertificateTold]:
    """List the last certificates of deletion."""
    return [
        CertificateTold(number=number, at=at, group=group)
        for number, at, group in await doors_of(request).auditing.certificates()
        if reads_log_of(caller.person, group)
    ]


@making.post("/certificates", status_code=201, responses=problems(404, 429))
async def certify(request: Request, caller: Reads, said: CertificateShape) -> CertificateTold:
    """Make a certificate of what was destroyed in a time, signed and kept."""
    _must_see(caller.person, said.group)
    if said.since >= said.until:
        raise Refused(422, "invalid", "`until` is not behind `since`")
    async with turn_of(request):
        try:
            wish = destroyed_in(said.since, min(said.until, doors_of(request).clock()), said.group or None)
            made = await doors_of(request).auditing.certify(wish, reader_of_log(caller.person))
        except TooMany:
            raise Refused(
                422, "too-much", "more deletions than one certificate holds: a shorter time"
            ) from None
    return CertificateTold(number=made.number, at=made.at, group=said.group)


@reading.get(
    "/certificates/{number}",
    responses=problems(404) | {200: {"content": {"application/json": {}}, "description": "the certificate"}},
)
async def certificate(request: Request, caller: Reads, number: int) -> Response:
    """Return a certificate as the file that `sekisho log verify-certificate` verifies."""
    made = await doors_of(request).auditing.certificate(number) if 0 <= number <= MAX_NUMBER else None
    if made is None:
        raise _no_such()
    _must_see(caller.person, str(made.told["group"]))
    return Response(made.file + "\n", media_type="application/json")


def _must_see(person: Person, group: str) -> None:
    if not reads_log_of(person, group):
        raise _no_such()


def _no_such() -> Refused:
    return Refused(404, "unknown", "there is none, or none that this person may see")


def _figures(figures: Figures) -> dict[str, int | dict[str, int]]:
    told: dict[str, int | dict[str, int]] = {}
    for each in fields(figures):
        value = getattr(figures, each.name)
        told[each.name] = value if isinstance(value, int) else dict(value)
    return told
