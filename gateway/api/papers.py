"""/log/copy, /log/proof, /log/verify, /record and /certificates: what an auditor takes along, by the verbs of the console.

Programs have one made at a time in a process; every copy is an event before its first octet is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from gateway.acting.allowed import reader_of_log
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.problems import Refused
from gateway.api.shapes import Moment, Said, problems
from gateway.audit.auditing import Auditing, TooMuch
from gateway.audit.certificates import TooMany
from gateway.audit.certificates import question as destroyed_in
from gateway.audit.checkpoints import ChainAltered
from gateway.audit.entries import Question
from gateway.audit.proof import NothingToProve
from gateway.audit.record import Figures, month
from gateway.audit.taken import octets_of, pieces, without_name
from gateway.people.contract import Person, TokenScope
from gateway.people.sight import Act, scope_of, sees_subjects

MAX_WORDS = 200  # characters looked for
MAX_NUMBER = 999_999_999_999

reading = APIRouter(tags=["log"])
making = APIRouter(tags=["log"], route_class=Verb)

Reads = Annotated[Caller, calling(TokenScope.LOG_READ)]
Word = Annotated[str, Field(min_length=1, max_length=MAX_WORDS)]
Group = Annotated[str, Query(max_length=254, description="a group of the policy; empty: everybody")]


class CopyShape(Said):
    """Which mails' events: everything given must hold."""

    form: Literal["csv", "jsonl"]
    since: Moment | None = None
    until: Moment | None = None
    sender: Word | None = None
    recipient: Word | None = None
    subject: Word | None = None
    group: Word | None = None
    rule: Word | None = None
    actor: Word | None = None


class SpanShape(Said):
    since: Moment
    until: Moment


class CertificateShape(SpanShape):
    group: Annotated[str, Field(max_length=254)] = ""


class CheckedTold(BaseModel):
    """Whether the log is whole. Of one that is not, `problem` says what is wrong first, in which chain, at which event."""

    intact: bool
    sealed: bool
    checked: int
    chain: str
    seq: int | None
    problem: str


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


@reading.post(
    "/log/copy",
    responses=problems(429)
    | {200: {"content": {"text/csv": {}, "application/jsonl": {}}, "description": "the copy"}},
    response_class=Response,
)
async def copy(request: Request, caller: Reads, said: CopyShape) -> Response:
    """Take a copy of the events of the mails that are found, as CSV or JSON Lines."""
    auditing = _auditing(request)
    subjects = sees_subjects(caller.person, auditing.subjects_for_ordering)
    asked = said.model_dump(exclude={"form"}) | ({} if subjects else {"subject": None})
    question = Question(**asked, scope=scope_of(caller.person, Act.LOG))
    async with _turn(request):
        try:
            path = await auditing.copy(question, said.form, reader_of_log(caller.person), subjects)
        except TooMuch:
            raise Refused(422, "too-much", "more events than one copy holds: choose a shorter time") from None
    return await _file(path, "text/csv" if said.form == "csv" else "application/jsonl")


@reading.post(
    "/log/proof",
    responses=problems(409, 429) | {200: {"content": {"application/zip": {}}, "description": "the export"}},
    response_class=Response,
)
async def proof(request: Request, caller: Reads, said: SpanShape) -> Response:
    """Take an export that proves itself offline (`sekisho log verify-export`): for who reads the whole log."""
    if not scope_of(caller.person, Act.LOG).everything:
        raise Refused(403, "role", "a proof holds the whole log: it is for those who may read all of it")
    async with _turn(request):
        try:
            path = await _auditing(request).proof(said.since, said.until, reader_of_log(caller.person))
        except TooMuch:
            raise Refused(
                422, "too-much", "more events than one export holds: choose a shorter time"
            ) from None
        except NothingToProve:
            raise Refused(422, "nothing", "no events of that time stand between two checkpoints") from None
        except ChainAltered:
            raise Refused(409, "altered", "the log is not what was written: have it verified") from None
    return await _file(path, "application/zip")


@reading.post("/log/verify", responses=problems(429))
async def verify(request: Request, caller: Reads) -> CheckedTold:
    """Walk all chains and all checkpoints; a million events take half a minute."""
    async with _turn(request):
        checked = await _auditing(request).verify()
    verdict = checked.verdict
    return CheckedTold(
        intact=checked.intact,
        sealed=verdict.sealed,
        checked=verdict.checked,
        chain=verdict.node,
        seq=verdict.seq,
        problem=verdict.problem or checked.signed.problem,
    )


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
        since, until = month(when, _zone(request))
    except ValueError:
        raise Refused(422, "invalid", "`month` is written 2026-11") from None
    async with _turn(request):
        made = await _auditing(request).record(group, since, until)
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
        for number, at, group in await _auditing(request).certificates()
        if _sees(caller.person, group)
    ]


@making.post("/certificates", status_code=201, responses=problems(404, 429))
async def certify(request: Request, caller: Reads, said: CertificateShape) -> CertificateTold:
    """Make a certificate of what was destroyed in a time, signed and kept."""
    _must_see(caller.person, said.group)
    if said.since >= said.until:
        raise Refused(422, "invalid", "`until` is not behind `since`")
    async with _turn(request):
        try:
            wish = destroyed_in(said.since, min(said.until, doors_of(request).clock()), said.group or None)
            made = await _auditing(request).certify(wish, reader_of_log(caller.person))
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
    made = await _auditing(request).certificate(number) if 0 <= number <= MAX_NUMBER else None
    if made is None:
        raise _no_such()
    _must_see(caller.person, str(made.told["group"]))
    return Response(made.file + "\n", media_type="application/json")


def _auditing(request: Request) -> Auditing:
    return doors_of(request).auditing


def _zone(request: Request) -> ZoneInfo:
    return doors_of(request).zone


@asynccontextmanager
async def _turn(request: Request) -> AsyncIterator[None]:
    """Take the turn of whoever reads the whole log; raises Refused (429) where somebody has it."""
    turn = doors_of(request).turn
    if turn.locked():
        raise Refused(429, "busy", "another copy is being made", headers={"Retry-After": "10"})
    async with turn:
        yield


def _sees(person: Person, group: str) -> bool:
    scope = scope_of(person, Act.LOG)
    return scope.everything or group in scope.groups


def _must_see(person: Person, group: str) -> None:
    if not _sees(person, group):
        raise _no_such()


def _no_such() -> Refused:
    return Refused(404, "unknown", "there is none, or none that this person may see")


def _figures(figures: Figures) -> dict[str, int | dict[str, int]]:
    told: dict[str, int | dict[str, int]] = {}
    for each in fields(figures):
        value = getattr(figures, each.name)
        told[each.name] = value if isinstance(value, int) else dict(value)
    return told


async def _file(path: Path, kind: str) -> Response:
    file = await asyncio.to_thread(without_name, path)
    return StreamingResponse(pieces(file), media_type=kind, headers={"Content-Length": str(octets_of(file))})
