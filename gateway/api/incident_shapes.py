"""Incidents as the API takes and tells them: shapes, and what the verbs give made into them. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from gateway.api.mail_shapes import TakenBackTold, taken_told
from gateway.api.mails import Number, Numbers
from gateway.api.shapes import Moment, Said
from gateway.incidents.clocks import Ground, Verdict
from gateway.incidents.contract import (
    MAX_PERSONS,
    PARAGRAPH,
    TEXT,
    Account,
    Answer,
    Data,
    Incident,
    IncidentLine,
    NoteKind,
    Report,
    What,
)

Long = Annotated[str, Field(max_length=TEXT)]
Written = Annotated[str, Field(min_length=1, max_length=TEXT)]


class AccountShape(Said):
    """What somebody tells: what went wrong, who the wrong recipients are (none named: all), whose and what data it is.

    `persons` is null where nobody knows yet. From `known_at`, which has a time zone, the clocks of the law run.
    """

    what: What
    wrong: Annotated[list[Number], Field(max_length=100_000, default_factory=list)]
    data: Annotated[list[Data], Field(max_length=len(Data), default_factory=list)]
    persons: Annotated[int | None, Field(ge=0, le=MAX_PERSONS)] = None
    known_at: Moment
    description: Long = ""


class NewIncident(AccountShape):
    queue_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,32}$")]


class WrittenShape(Said):
    text: Written


class AskingShape(Said):
    """Whom to ask to delete the mail; `every` days they are reminded, twice at most; null for never."""

    recipients: Numbers
    paragraph: Annotated[str, Field(max_length=PARAGRAPH)] = ""
    every: int | None = None


class WhomShape(Said):
    recipients: Numbers


class ReportShape(Said):
    report: Report


class LineTold(BaseModel):
    queue_id: str
    opened_at: datetime
    what: What
    persons: int | None
    open: bool
    asked: int
    answered: int


class ClockTold(BaseModel):
    """A report that is due: better by `soon`, at the latest on `due`."""

    report: Report
    soon: date
    due: date
    handed_in_at: datetime | None


class NoteTold(BaseModel):
    kind: NoteKind
    at: datetime
    writer: str
    text: str | None


class RequestTold(BaseModel):
    """A wrong recipient who was asked to delete the mail, and the answer."""

    recipient: int
    asked_at: datetime
    answer: Answer | None
    answered_at: datetime | None
    reminders: int
    comment: str | None


class IncidentTold(BaseModel):
    """An incident. The clocks are what the law asks for as far as the account tells; people decide."""

    queue_id: str
    opened_at: datetime
    opened_by: str
    open: bool
    what: What
    wrong: list[int]
    data: list[Data]
    persons: int | None
    known_at: datetime
    grounds: list[Ground]
    clocks: list[ClockTold]
    taken_back: TakenBackTold
    notes: list[NoteTold]
    requests: list[RequestTold]


class Whom(BaseModel):
    """Whom a letter was written to."""

    recipients: list[int]


def account_of(said: AccountShape) -> Account:
    """Return what a reporter said, as the verbs take it."""
    wrong = tuple(sorted(set(said.wrong)))
    return Account(said.what, wrong, frozenset(said.data), said.persons, said.known_at, said.description)


def line_told(line: IncidentLine) -> LineTold:
    """Return a line of the list."""
    return LineTold(
        queue_id=line.queue_id,
        opened_at=line.opened_at,
        what=line.what,
        persons=line.persons,
        open=line.open,
        asked=line.asked,
        answered=line.answered,
    )


def incident_told(incident: Incident, verdict: Verdict) -> IncidentTold:
    """Return an incident with the clocks that run for it."""
    account, done = incident.account, dict(incident.reported)
    return IncidentTold(
        queue_id=incident.queue_id,
        opened_at=incident.opened_at,
        opened_by=incident.opener.name,
        open=incident.open,
        what=account.what,
        wrong=list(account.wrong),
        data=sorted(account.data),
        persons=account.persons,
        known_at=account.known_at,
        grounds=list(verdict.grounds),
        clocks=[
            ClockTold(report=each.report, soon=each.soon, due=each.due, handed_in_at=done.get(each.report))
            for each in verdict.clocks
        ],
        taken_back=taken_told(incident.taken),
        notes=[
            NoteTold(kind=each.kind, at=each.at, writer=each.writer, text=each.text)
            for each in incident.notes
        ],
        requests=[
            RequestTold(
                recipient=each.recipient,
                asked_at=each.asked_at,
                answer=each.answer,
                answered_at=each.answered_at,
                reminders=each.reminders,
                comment=each.comment,
            )
            for each in incident.requests
        ],
    )
