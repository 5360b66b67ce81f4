"""Incidents as other rooms see them: a mail that went to the wrong people, and what was done about it. Values only.

A mail has one incident at most, named by the mail's queue id (docs/decisions/0093-incidents.md). What people wrote stands in
notes; it never stands in the event log.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.spool.list_contract import Whose
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Actor
from gateway.values import dataclass

TEXT = 2_000  # characters of a description, a note, a reason
PARAGRAPH = 600  # characters that people may add to the letter to a wrong recipient
COMMENT = 400  # characters of a citizen's answer
NOTES = 500  # of one incident
MAX_PERSONS = 100_000_000  # more than anybody has data of
REMINDERS = 2  # to one wrong recipient: who does not answer then has to be called
ANSWERS = 2  # of one wrong recipient: the first, and one correction
PAGE = 50  # incidents in a list


class What(StrEnum):
    """What went wrong."""

    WRONG_RECIPIENTS = "wrong-recipients"
    WRONG_FILE = "wrong-file"
    ADDRESSES_VISIBLE = "addresses-visible"
    OTHER = "other"


class Data(StrEnum):
    """What kind of data it was, and what makes it worse: what the thresholds of the law ask for."""

    NAME = "name"
    CONTACT = "contact"  # postal address, telephone
    MAIL_ADDRESS = "mail-address"
    OTHER = "other"
    SENSITIVE = "sensitive"  # 要配慮個人情報
    LOCAL_SENSITIVE = "local-sensitive"  # 条例要配慮個人情報
    FINANCIAL = "financial"  # misuse may cost somebody money
    MY_NUMBER = "my-number"  # 特定個人情報
    MALICE = "malice"  # somebody may have done it on purpose
    UNKNOWN = "unknown"  # not known yet


class Organisation(StrEnum):
    """Whose data it is: which article asks for reports."""

    LOCAL_GOVERNMENT = "local-government"
    BUSINESS = "business"


class Report(StrEnum):
    """A report that the law asks for."""

    PRELIMINARY = "preliminary"  # 速報
    FINAL = "final"  # 確報


class NoteKind(StrEnum):
    """What a note is."""

    DESCRIPTION = "description"
    NOTE = "note"
    LETTER = "letter"  # the free paragraph of a letter to wrong recipients
    CLOSED = "closed"  # why it was closed
    REOPENED = "reopened"


class Answer(StrEnum):
    """What a wrong recipient answered."""

    DELETED = "deleted"
    NOT_OPENED = "not-opened"  # or it never arrived


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody tells: what went wrong, whom it reached (`wrong`, recipients' indexes), whose and what data it is.

    `persons` is None where nobody knows yet. From `known_at` the clocks run.
    """

    what: What
    wrong: tuple[int, ...]
    data: frozenset[Data]
    persons: int | None
    known_at: datetime
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Something people wrote; `text` is None where its master key is not held any more."""

    number: int
    kind: NoteKind
    at: datetime
    writer: str
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A wrong recipient who was asked to delete the mail. `remind_at` is the next reminder that was chosen when asking."""

    recipient: int
    asked_at: datetime
    asker: str
    letter: int
    answer: Answer | None = None
    answered_at: datetime | None = None
    answers: int = 0
    reminders: int = 0
    reminded_at: datetime | None = None
    remind_at: datetime | None = None
    comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as it stands. `reported` says when somebody noted that a report was handed in."""

    queue_id: str
    opened_at: datetime
    opener: Actor
    account: Account
    organisation: Organisation
    taken: TakenBack
    whose: Whose
    closed_at: datetime | None = None
    remind_at: datetime | None = None
    reported: tuple[tuple[Report, datetime], ...] = ()
    notes: tuple[Note, ...] = ()
    requests: tuple[Request, ...] = ()

    @property
    def open(self) -> bool:
        return self.closed_at is None

    def request(self, recipient: int) -> Request | None:
        """Return what was asked of one recipient, if anything was."""
        return next((each for each in self.requests if each.recipient == recipient), None)

    def note(self, number: int) -> str:
        """Return the text of a note; empty where there is none, or nobody can read it."""
        return next((each.text or "" for each in self.notes if each.number == number), "")


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident in a list; `asked` and `answered` count deletion requests. `subject` and `sender` are those of its mail."""

    queue_id: str
    opened_at: datetime
    subject: str
    sender: str
    what: What
    persons: int | None
    open: bool
    asked: int
    answered: int


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """`after` leads to the next page; empty on the last."""

    lines: tuple[IncidentLine, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask to delete a mail, and how. `every` is None where nobody is reminded by schedule."""

    recipients: tuple[int, ...]
    paragraph: str = field(default="", repr=False)
    every: timedelta | None = None


class UnknownIncident(Exception):
    """This mail has no incident."""


class IncidentRefused(Exception):
    """Not now, or not so; `why` is a word: closed, open, nobody, no-mail, too-many-notes, answered-twice."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
