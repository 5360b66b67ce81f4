"""/log: mails and events as the auditor's page lists them, and the story of one mail. Reading the log changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.problems import Refused
from gateway.api.shapes import After, Limit, Moment, Page, QueueId, problems
from gateway.audit.entries import Entry, Question
from gateway.audit.fitting import whose, without_subject
from gateway.audit.lines import lines
from gateway.people.contract import TokenScope
from gateway.people.sight import Act, may, scope_of, sees_subjects
from gateway.spool.contract import UnknownMessage
from gateway.spool.lifecycle import Kind, Reason

MAX_WORDS = 200  # characters looked for
MOST_EVENTS = 1_000  # of one mail; one to 40,000, one by one, writes more

reading = APIRouter(tags=["log"])

Reads = Annotated[Caller, calling(TokenScope.LOG_READ)]
Word = Annotated[str | None, Query(max_length=MAX_WORDS)]


class EventTold(BaseModel):
    """One event. `recipients` are ranges of the envelope's numbers; `chain` and `seq` are its place in the log."""

    chain: str
    seq: int
    at: datetime
    queue_id: str | None
    kind: str
    reason: str
    actor_kind: str
    actor_name: str
    recipients: str
    detail: Mapping[str, Any]
    hash: str


class LogPageTold(Page[EventTold]):
    """`searched_to`: the search stopped there before it had found enough; go on behind `next`."""

    searched_to: datetime | None = None


class Story(BaseModel):
    """All events of one mail, oldest first; `more` where there are others behind them."""

    items: list[EventTold]
    more: bool


@reading.get("/log", responses=problems())
async def log(
    request: Request,
    caller: Reads,
    since: Moment | None = None,
    until: Moment | None = None,
    sender: Word = None,
    recipient: Word = None,
    subject: Word = None,
    group: Word = None,
    rule: Word = None,
    actor: Word = None,
    kind: Kind | None = None,
    reason: Reason | None = None,
    limit: Limit = 50,
    after: After = "",
) -> LogPageTold:
    """List mails, and events that are about no mail, newest first, within what this person may read."""
    doors = doors_of(request)
    subjects = sees_subjects(caller.person, doors.auditing.subjects_for_ordering)
    question = Question(
        since=since,
        until=until,
        sender=sender,
        recipient=recipient,
        subject=subject if subjects else None,  # words of one would tell it
        group=group,
        rule=rule,
        actor=actor,
        kinds=() if kind is None else (kind.value,),
        reasons=() if reason is None else (reason.value,),
        limit=limit,
        scope=scope_of(caller.person, Act.LOG),
    )
    try:
        page = await asyncio.to_thread(lines, doors.log, question, after)
    except ValueError:
        raise Refused(422, "invalid", "`after` is no cursor of this list") from None
    told = [event_told(entry, subjects=subjects) for entry in page.lines]
    return LogPageTold(items=told, next=page.after or None, searched_to=page.searched_to)


@reading.get("/log/{queue_id}", responses=problems(404))
async def story(request: Request, caller: Reads, queue_id: QueueId) -> Story:
    """Return what happened to one mail."""
    doors = doors_of(request)
    entries = await asyncio.to_thread(doors.log.about, queue_id, MOST_EVENTS + 1)
    accepted = next((entry for entry in entries if entry.kind == Kind.ACCEPTED), None)
    if accepted is None or not may(caller.person, Act.LOG, whose(accepted.detail)):
        raise UnknownMessage(queue_id)
    subjects = sees_subjects(caller.person, doors.auditing.subjects_for_ordering)
    told = [event_told(each, subjects=subjects) for each in entries[:MOST_EVENTS]]
    return Story(items=told, more=len(entries) > MOST_EVENTS)


def event_told(entry: Entry, *, subjects: bool) -> EventTold:
    """Return an event as the API tells it, without the subject to whom it is not told."""
    entry = entry if subjects else without_subject(entry)
    return EventTold(
        chain=entry.node,
        seq=entry.seq,
        at=entry.at,
        queue_id=entry.queue_id,
        kind=entry.kind,
        reason=entry.reason,
        actor_kind=entry.actor_kind,
        actor_name=entry.actor_name,
        recipients=entry.recipients,
        detail=entry.detail,
        hash=entry.hash.hex(),
    )
