"""Shapes of what comes and goes that more than one part of the API has: pages, names, bounds."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from gateway.api.problems import Problem

Item = TypeVar("Item")

MAX_LIMIT = 200
MAX_CURSOR = 512  # characters
MAX_TEXT = 500  # characters of a reason or a comment, as the console takes


class Said(BaseModel):
    """What a client sends: a key that nobody knows is an error, because it may be a word misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[Item]):
    """One page of a list. `next` is the cursor of the following one, for `after`; null on the last."""

    items: list[Item]
    next: str | None = None


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="how many at most")]
After = Annotated[str, Query(max_length=MAX_CURSOR, description="`next` of the page before")]
QueueId = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,32}$", description="the mail's queue id")]
Moment = AwareDatetime  # a time without a zone is an error: whose would it be
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, strip_whitespace=True)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, strip_whitespace=True)]


class SpanShape(Said):
    since: Moment
    until: Moment


_MEANINGS = {
    400: "the request cannot be read",
    401: "no token, or one that is not good (any more)",
    403: "the token, or its person, may not do this",
    404: "there is none, or none that this person may see",
    409: "it is not as the request says any more, or the same call is under way",
    413: "more octets than a request of ours has",
    429: "somebody else has the turn; again after `Retry-After`",
    422: "what was sent is not what is expected",
    503: "the store does not answer; nothing was done",
}


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return what a route's documentation says of its errors; every route may answer 401, 403, 422 and 503."""
    told = sorted({401, 403, 422, 503, *statuses})
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in told}
