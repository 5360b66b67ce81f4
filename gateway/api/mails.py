"""/held and /mails: lists of held mail, single mails, and the verbs on them: those of the console (gateway/acting).

A mail that the token's person may not see is answered as one that does not exist.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.mail_shapes import (
    ChangeTold,
    ConsentTold,
    HeldTold,
    MailTold,
    TakenBackTold,
    change_told,
    consent_told,
    held_told,
    mail_told,
    taken_told,
)
from gateway.api.problems import Refused
from gateway.api.shapes import After, Limit, Moment, Page, QueueId, Said, Text, Words, problems
from gateway.people.contract import TokenScope
from gateway.spool.contract import BodyUnreadable
from gateway.spool.list_contract import HeldQuestion, Order, Scope, Waits

MAX_RECIPIENTS = 100_000  # numbers in one call: what one mail has at most
MAX_WORDS = 200  # characters looked for

reading = APIRouter(tags=["mail"])
acting = APIRouter(tags=["mail"], route_class=Verb)

Reads = Annotated[Caller, calling(TokenScope.HELD_READ)]
Acts = Annotated[Caller, calling(TokenScope.HELD_ACT)]
Approves = Annotated[Caller, calling(TokenScope.APPROVE)]
Opens = Annotated[Caller, calling(TokenScope.BODY_READ)]
Number = Annotated[int, Field(ge=0, lt=MAX_RECIPIENTS)]
Numbers = Annotated[list[Number], Field(min_length=1, max_length=MAX_RECIPIENTS)]
Word = Annotated[str, Query(max_length=MAX_WORDS)]


class Some(Said):
    """Whom it is for, as numbers of recipients; null for all."""

    recipients: Numbers | None = None


class SomeForReason(Some):
    """`because` is asked for where the policy wants a reason."""

    because: Text = ""


class Because(Said):
    because: Text = ""


class Ticked(Said):
    """Who was checked one by one; `attachments` that all files were."""

    recipients: Annotated[list[Number], Field(max_length=MAX_RECIPIENTS)] = Field(default_factory=list)
    attachments: bool = False


class Comment(Said):
    comment: Text = ""


class Rejection(Said):
    comment: Words


class Later(Said):
    """Until when it waits, at least."""

    until: Moment


class Correction(Said):
    """Which recipient is wrong, and the address that was meant."""

    recipient: Number
    meant: Annotated[str, Field(min_length=3, max_length=320)]


class ForReason(Said):
    """Why the text is opened; needed where the person is neither its sender nor asked to approve it. It is written down."""

    because: Text = ""


@reading.get("/held", responses=problems())
async def held(
    request: Request,
    caller: Reads,
    words: Annotated[str, Query(max_length=MAX_WORDS, description="in the subject or an address")] = "",
    sender: Word = "",
    recipient: Word = "",
    group: Word = "",
    rule: Word = "",
    waits: Waits | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    order: Order = Order.RECEIVED,
    descending: bool = True,
    limit: Limit = 50,
    after: After = "",
) -> Page[HeldTold]:
    """List mail with a held recipient that this person may see."""
    question = HeldQuestion(
        Scope(),
        words=words,
        sender=sender,
        recipient=recipient,
        group=group,
        rule=rule,
        waits=waits,
        since=since,
        until=until,
        order=order,
        descending=descending,
        after=after,
        limit=limit,
    )
    try:
        page = await doors_of(request).acting.held(caller.person, question)
    except ValueError:
        raise Refused(422, "invalid", "`after` is no cursor of this list") from None
    return Page(items=[held_told(line) for line in page.lines], next=page.after or None)


@reading.get("/mails/{queue_id}", responses=problems(404))
async def mail(request: Request, caller: Reads, queue_id: QueueId) -> MailTold:
    """Return one mail without its text: recipients and their states, what people have to do, what this person may do."""
    return mail_told(await doors_of(request).acting.see(caller.person, queue_id))


@reading.post(  # no `Verb`: an answer with octets is kept nowhere, or it would outlive the key of the mail
    "/mails/{queue_id}/read",
    responses=problems(404, 409) | {200: {"content": {"message/rfc822": {}}, "description": "the octets"}},
    response_class=Response,
)
async def read(request: Request, caller: Opens, queue_id: QueueId, said: ForReason) -> Response:
    """Return the original octets, as they were received."""
    try:
        raw = await doors_of(request).acting.read(caller.person, queue_id, said.because)
    except BodyUnreadable:
        raise Refused(409, "no-body", "the text was deleted, or cannot be opened") from None
    return Response(raw, media_type="message/rfc822", headers={"Cache-Control": "no-store"})


@acting.post("/mails/{queue_id}/cancel", responses=problems(404))
async def cancel(request: Request, caller: Acts, queue_id: QueueId, said: Some) -> ChangeTold:
    """Cancel: what has not left never leaves. Of the rest the answer says the truth."""
    return change_told(await doors_of(request).acting.cancel(caller.person, queue_id, _whom(said)))


@acting.post("/mails/{queue_id}/release", responses=problems(404))
async def release(request: Request, caller: Acts, queue_id: QueueId, said: SomeForReason) -> ChangeTold:
    """Let it go now. What a rule holds firmly stays, and what waits for people."""
    doors = doors_of(request)
    return change_told(await doors.acting.release(caller.person, queue_id, _whom(said), said.because))


@acting.post("/mails/{queue_id}/freeze", responses=problems(404, 409))
async def freeze(request: Request, caller: Acts, queue_id: QueueId, said: Because) -> ChangeTold:
    """Stop the timer of the whole mail: nothing leaves until it is thawed. What stays frozen too long is cancelled."""
    return change_told(await doors_of(request).acting.freeze(caller.person, queue_id, said.because))


@acting.post("/mails/{queue_id}/thaw", responses=problems(404, 409))
async def thaw(request: Request, caller: Acts, queue_id: QueueId) -> ChangeTold:
    """Let the timer run on."""
    return change_told(await doors_of(request).acting.thaw(caller.person, queue_id))


@acting.post("/mails/{queue_id}/extend", responses=problems(404, 409))
async def extend(request: Request, caller: Acts, queue_id: QueueId, said: Later) -> ChangeTold:
    """Let it wait until then, and no shorter than it does; `done` are those who wait longer now."""
    doors = doors_of(request)
    return change_told(await doors.acting.extend(caller.person, queue_id, said.until))


@acting.post("/mails/{queue_id}/correct", responses=problems(404, 409))
async def correct(request: Request, caller: Acts, queue_id: QueueId, said: Correction) -> ChangeTold:
    """Cancel one recipient and tell the sender to whom to send again; the mail itself is never edited."""
    try:
        change = await doors_of(request).acting.correct(caller.person, queue_id, said.recipient, said.meant)
    except ValueError:
        raise Refused(422, "invalid", "`meant` is no mail address") from None
    return change_told(change)


@acting.post("/mails/{queue_id}/confirm", responses=problems(404))
async def confirm(request: Request, caller: Acts, queue_id: QueueId, said: Ticked) -> ChangeTold:
    """Confirm recipients and attachments that the sender has checked."""
    doors = doors_of(request)
    ticked = frozenset(said.recipients)
    return change_told(await doors.acting.confirm(caller.person, queue_id, ticked, said.attachments))


@acting.post("/mails/{queue_id}/approve", responses=problems(404))
async def approve(request: Request, caller: Approves, queue_id: QueueId, said: Comment) -> ConsentTold:
    """Approve, as the person that the token stands for; never one's own mail."""
    return consent_told(await doors_of(request).acting.approve(caller.person, queue_id, said.comment))


@acting.post("/mails/{queue_id}/reject", responses=problems(404))
async def reject(request: Request, caller: Approves, queue_id: QueueId, said: Rejection) -> ConsentTold:
    """Cancel what waits for this person's approval; the sender is told why."""
    return consent_told(await doors_of(request).acting.reject(caller.person, queue_id, said.comment))


@acting.post("/mails/{queue_id}/take-back", responses=problems(404))
async def take_back(request: Request, caller: Acts, queue_id: QueueId, said: Some) -> TakenBackTold:
    """Stop what can be stopped of a mail that left: links are closed, keys are not sent."""
    return taken_told(await doors_of(request).acting.take_back(caller.person, queue_id, _whom(said)))


def _whom(said: Some) -> frozenset[int] | None:
    return None if said.recipients is None else frozenset(said.recipients)
