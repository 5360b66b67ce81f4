"""/held/preview and /held/perform: one verb for many held mails, in two calls, so that nobody does more than they have seen.

The preview says how many mails it is about, and gives the wish back with its end in time: mail that comes later is in nobody's
count. Performing it takes the wish and the count, does a bounded number of mails and says where to go on.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gateway.acting.bulk import Bulk
from gateway.acting.wish import MOST_NAMED, CountChanged, Wish
from gateway.acting.wish import Verb as Deed
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.mails import MAX_WORDS
from gateway.api.problems import Refused
from gateway.api.shapes import MAX_CURSOR, Moment, Said, Text, problems
from gateway.people.contract import TokenScope
from gateway.spool.list_contract import HeldQuestion, Scope, Waits

acting = APIRouter(tags=["mail"], route_class=Verb)

Acts = Annotated[Caller, calling(TokenScope.HELD_ACT)]
Word = Annotated[str, Field(max_length=MAX_WORDS)]


class Asked(Said):
    """All held mails that a list with these filters finds, received before `until`."""

    words: Word = ""
    sender: Word = ""
    recipient: Word = ""
    group: Word = ""
    rule: Word = ""
    waits: Waits | None = None
    since: Moment | None = None
    until: Moment | None = None


class WishShape(Said):
    """What to do with which mails: those named, or all that a question finds. `because` is a reason or a comment.

    `until` is for `extend`.
    """

    verb: Deed
    queue_ids: Annotated[list[str], Field(max_length=MOST_NAMED)] = Field(default_factory=list)
    question: Asked | None = None
    because: Text = ""
    until: Moment | None = None


class Performance(Said):
    """The wish as the preview gave it back, the count that it named, and on later calls where to go on."""

    wish: WishShape
    count: Annotated[int, Field(ge=0)]
    after: Annotated[str, Field(max_length=MAX_CURSOR)] = ""


class PreviewTold(BaseModel):
    """How many mails and held recipients it is about, and how many mails that this person sees it cannot be done to."""

    wish: WishShape
    mails: int
    recipients: int
    cannot: int


class SumTold(BaseModel):
    """What one call did. `nothing` and `failed` are queue ids; `after` leads to the next call, null when all is done.

    `broken`: the store failed in between, and `failed` may be tried again.
    """

    mails: int
    recipients: int
    perhaps: int
    nothing: list[str]
    failed: list[str]
    broken: bool
    after: str | None


@acting.post("/held/preview", responses=problems())
async def preview(request: Request, caller: Acts, said: WishShape) -> PreviewTold:
    """Say what a wish is about; nothing is done."""
    _decides(caller, said)
    seen = await Bulk(doors_of(request).acting).preview(caller.person, _wish(said))
    question = said.question
    if question is not None and seen.wish.question is not None:
        question = question.model_copy(update={"until": seen.wish.question.until})
    wish = said.model_copy(update={"question": question})
    return PreviewTold(wish=wish, mails=seen.mails, recipients=seen.recipients, cannot=seen.cannot)


@acting.post("/held/perform", responses=problems(409))
async def perform(request: Request, caller: Acts, said: Performance) -> SumTold:
    """Do it to the next mails of the wish; the first call compares the count, and does nothing where it is another."""
    _decides(caller, said.wish)
    bulk = Bulk(doors_of(request).acting)
    try:
        done = await bulk.perform(caller.person, _wish(said.wish), said.count, said.after)
    except CountChanged as changed:
        told = f"it is {changed.now} mails now; nothing was done"
        raise Refused(409, "count", told, more={"now": changed.now}) from None
    except ValueError:
        raise Refused(422, "invalid", "`after` is no cursor of this wish") from None
    return SumTold(
        mails=done.mails,
        recipients=done.recipients,
        perhaps=done.perhaps,
        nothing=list(done.nothing),
        failed=list(done.failed),
        broken=done.broken,
        after=done.after or None,
    )


def _decides(caller: Caller, said: WishShape) -> None:
    """Raise Refused where a verb needs what the token or the call does not have."""
    if said.verb in (Deed.APPROVE, Deed.REJECT) and TokenScope.APPROVE not in caller.scopes:
        raise Refused(403, "scope", f"the token lacks the scope {TokenScope.APPROVE}")
    if bool(said.queue_ids) == (said.question is not None):
        raise Refused(422, "invalid", "name mails in `queue_ids`, or give a `question`: one of the two")
    if said.verb is Deed.EXTEND and said.until is None:
        raise Refused(422, "invalid", "`extend` needs `until`")


def _wish(said: WishShape) -> Wish:
    question = None if said.question is None else HeldQuestion(Scope(), **dict(said.question))
    return Wish(said.verb, tuple(dict.fromkeys(said.queue_ids)), question, said.because, said.until)
