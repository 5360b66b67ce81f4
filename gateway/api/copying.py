"""/log/copy, /log/proof and /log/verify: the log, taken along and verified as a whole, by the verbs of the console.

Programs have one made at a time in a process; every copy is an event before its first octet is sent.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from gateway.acting.allowed import reader_of_log
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of, turn_of
from gateway.api.log import MAX_WORDS
from gateway.api.problems import Refused
from gateway.api.shapes import Moment, Said, SpanShape, problems
from gateway.audit.auditing import TooMuch
from gateway.audit.checkpoints import ChainAltered
from gateway.audit.entries import Question
from gateway.audit.proof import NothingToProve
from gateway.audit.taken import octets_of, pieces, without_name
from gateway.people.contract import TokenScope
from gateway.people.sight import Act, scope_of, sees_subjects

reading = APIRouter(tags=["log"])

Reads = Annotated[Caller, calling(TokenScope.LOG_READ)]
Word = Annotated[str, Field(min_length=1, max_length=MAX_WORDS)]


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


class CheckedTold(BaseModel):
    """Whether the log is whole. Of one that is not, `problem` says what is wrong first, in which chain, at which event."""

    intact: bool
    sealed: bool
    checked: int
    chain: str
    seq: int | None
    problem: str


@reading.post(
    "/log/copy",
    responses=problems(429)
    | {200: {"content": {"text/csv": {}, "application/jsonl": {}}, "description": "the copy"}},
    response_class=Response,
)
async def copy(request: Request, caller: Reads, said: CopyShape) -> Response:
    """Take a copy of the events of the mails that are found, as CSV or JSON Lines."""
    auditing = doors_of(request).auditing
    subjects = sees_subjects(caller.person, auditing.subjects_for_ordering)
    asked = said.model_dump(exclude={"form"}) | ({} if subjects else {"subject": None})
    question = Question(**asked, scope=scope_of(caller.person, Act.LOG))
    async with turn_of(request):
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
    async with turn_of(request):
        try:
            path = await doors_of(request).auditing.proof(
                said.since, said.until, reader_of_log(caller.person)
            )
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
    async with turn_of(request):
        checked = await doors_of(request).auditing.verify()
    verdict = checked.verdict
    return CheckedTold(
        intact=checked.intact,
        sealed=verdict.sealed,
        checked=verdict.checked,
        chain=verdict.node,
        seq=verdict.seq,
        problem=verdict.problem or checked.signed.problem,
    )


async def _file(path: Path, kind: str) -> Response:
    file = await asyncio.to_thread(without_name, path)
    return StreamingResponse(pieces(file), media_type=kind, headers={"Content-Length": str(octets_of(file))})
