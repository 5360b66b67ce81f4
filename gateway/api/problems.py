"""Errors of the API as problem+json (RFC 9457): what is wrong, where, and nothing about the inside.

`type` is a URN that programs may rely on, `title` says it in English; `detail` and `errors` name what and where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from gateway.acting.allowed import NotAllowed, ReasonMissing
from gateway.incidents.contract import IncidentRefused, UnknownIncident
from gateway.people.contract import PersonRefused, UnknownPerson
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.spool.opened import RecordUnreadable

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20  # places named in one answer
_URN = "urn:sekisho:problem:"
_NO_INCIDENT = {
    "answered-twice": "this recipient has answered and corrected the answer already",
    "closed": "the incident is closed; open it again first",
    "open": "the incident is open already",
    "nobody": "none of these recipients can be asked now; nothing was sent",
    "too-many-notes": "there are too many notes already",
    "no-mail": "the records of this mail are gone; nobody can be asked any more",
}
_NO_PERSON = {
    "exists": "there is a person with this login already",
    "login": "a login has no control characters and no space around it",
    "name": "the name is empty, or has control characters",
    "address": "one of the addresses is none, or can be read in two ways",
    "grant": "a role and its group do not go together",
    "last-admin": "this is the last administrator who can sign in",
}

log = structlog.get_logger()


@dataclass
class Refused(Exception):
    """Answer with a problem. `kind` is the last part of its type."""

    status: int
    kind: str
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


class Problem(BaseModel):
    """An error (RFC 9457). `errors` name places in what was sent: where, and what is wrong there."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[dict[str, str]] | None = None


def answer(refused: Refused) -> Response:
    """Return a problem as a response."""
    value: dict[str, Any] = {
        "type": _URN + refused.kind,
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        **({"detail": refused.detail} if refused.detail else {}),
        **refused.more,
    }
    return JSONResponse(value, refused.status, dict(refused.headers), MEDIA_TYPE)


_KINDS = (
    *(Refused, HTTPException, RequestValidationError),
    *(UnknownIncident, IncidentRefused, RecordUnreadable),
    *(UnknownMessage, NotAllowed, ReasonMissing, StoreUnavailable, UnknownPerson, PersonRefused),
)


def install(app: FastAPI) -> None:
    """Have every exception answered with a problem."""
    app.add_exception_handler(Exception, _failed)
    for kind in _KINDS:
        app.add_exception_handler(kind, _told)


async def _told(request: Request, error: Exception) -> Response:
    return answer(refusal_of(error))


async def _failed(request: Request, error: Exception) -> Response:
    log.error("api-failed", exc_info=error)
    return answer(Refused(500, "error", "the log of the gateway says more"))


def refusal_of(error: Exception) -> Refused:
    """Return what an exception is to a client; raises it again where it is none of these."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, RequestValidationError):
        places = _places(error.errors())
        return Refused(422, "invalid", "what was sent is not what is expected", more={"errors": places})
    if isinstance(error, UnknownMessage):
        return Refused(404, "unknown-mail", "there is no such mail, or none that this token may see")
    if isinstance(error, UnknownIncident):
        return Refused(404, "unknown-incident", "this mail has no incident, or none that this person may see")
    if isinstance(error, IncidentRefused):
        return Refused(409, "incident", _NO_INCIDENT.get(error.why, error.why), more={"why": error.why})
    if isinstance(error, NotAllowed):
        return Refused(403, "act", f"this person may see the mail, but not do this: {error.act}")
    if isinstance(error, ReasonMissing):
        return Refused(422, "reason", "why is missing: it is written down first")
    if isinstance(error, UnknownPerson):
        return Refused(404, "unknown-person", "there is no person with this login")
    if isinstance(error, PersonRefused):
        why = _NO_PERSON.get(error.why, error.why)
        return Refused(409, "person", why, more={"why": error.why})
    if isinstance(error, RecordUnreadable):
        return Refused(409, "unreadable", "the record of this mail cannot be read: it can only be cancelled")
    if isinstance(error, StoreUnavailable):
        later = {"Retry-After": "5"}
        return Refused(503, "store", "the store does not answer: nothing was done", headers=later)
    if isinstance(error, HTTPException):
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return Refused(error.status_code, kind, headers=error.headers or {})
    raise error


def _places(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return where and what; never the value, which may be somebody's secret."""
    return [
        {"where": "/".join(map(str, each.get("loc", ()))), "what": str(each.get("msg", ""))}
        for each in errors[:MAX_ERRORS]
    ]
