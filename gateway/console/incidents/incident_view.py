"""One incident as its page shows it: plain values between the store's rows and the template. Pure.

Everything that people wrote passes `shown`; whoever the mail went to is named only as far as the mail's records are there.
"""

from __future__ import annotations

from datetime import datetime

from gateway.audit.timeline import Timeline
from gateway.console import view
from gateway.incidents import wording
from gateway.incidents.asking import may_be_asked
from gateway.incidents.clocks import Verdict
from gateway.incidents.contract import REMINDERS, TEXT, Answer, Incident, NoteKind
from gateway.incidents.wording import Deadline
from gateway.languages import Words, shown
from gateway.spool.values import Recipient, Stored
from gateway.values import dataclass

SHOWN_ASKED = 500  # recipients with a box; who is named as wrong, and who has not answered, comes first
SHOWN_MOMENTS = 200  # of the timeline on the page: the newest; the log has all
WHO = 100  # characters of a name


@dataclass(frozen=True, slots=True)
class Written:
    """A note. `lines` is empty where nobody can read it any more."""

    title: str
    at: str
    writer: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A recipient, and how far the request to delete is. `askable` may be asked now, `remindable` reminded."""

    index: int
    address: str
    said: str
    comment: tuple[str, ...]
    answered: bool
    askable: bool
    remindable: bool
    wrong: bool


@dataclass(frozen=True, slots=True)
class Moment:
    at: str
    who: str
    what: str
    said: str
    recipients: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Page:
    """An incident."""

    queue_id: str
    subject: str
    sender: str
    sent: str
    zone: str
    open: bool
    closed: str
    what: str
    opened: str
    opener: str
    known: str
    persons: str
    data: tuple[str, ...]
    description: tuple[str, ...]
    grounds: tuple[str, ...]
    deadlines: tuple[Deadline, ...]
    caution: str
    groups: tuple[wording.Group, ...]
    asked: tuple[Asked, ...]
    more_asked: int
    unasked: int
    unreached: int
    tally: tuple[tuple[str, int], ...]
    notes: tuple[Written, ...]
    moments: tuple[Moment, ...]
    more_moments: bool


def build(
    incident: Incident,
    message: Stored | None,
    story: Timeline | None,
    found: Verdict,
    words: Words,
    now: datetime,
) -> Page:
    """Return the page; `message` is None where the mail's records are gone."""
    account = incident.account
    asked = _asked(incident, message, words)
    moments = story.moments[-SHOWN_MOMENTS:] if story is not None else ()
    return Page(
        queue_id=incident.queue_id,
        subject=_subject(message, story, words),
        sender=shown(str(message.envelope.sender or "<>"), view.ADDRESS) if message else "",
        sent=wording.moment(message.received_at, words) if message is not None else "",
        zone=words.zone_name(),
        open=incident.open,
        closed="" if incident.closed_at is None else wording.moment(incident.closed_at, words),
        what=wording.what_names(words)[account.what],
        opened=wording.moment(incident.opened_at, words),
        opener=shown(incident.opener.name, WHO),
        known=wording.moment(account.known_at, words),
        persons=wording.persons(account.persons, words),
        data=tuple([name for each, name in wording.data_names(words).items() if each in account.data]),
        description=lines(account.description),
        grounds=wording.grounds(found, incident.organisation, words),
        deadlines=wording.deadlines(incident, found, words, now),
        caution=wording.caution(words),
        groups=wording.taken_groups(message, incident.taken, words),
        asked=asked[:SHOWN_ASKED],
        more_asked=max(0, len(asked) - SHOWN_ASKED),
        unasked=len(unasked(incident, message)),
        unreached=len(incident.taken.stopped),
        tally=_tally(incident, words),
        notes=_notes(incident, words),
        moments=tuple(
            [
                Moment(
                    words.moment(each.at), each.who, each.what, each.said, each.recipients, each.more_recipients
                )
                for each in moments
            ]
        ),
        more_moments=story is not None and (story.more or len(story.moments) > SHOWN_MOMENTS),
    )  # fmt: skip


def unasked(incident: Incident, message: Stored | None) -> tuple[int, ...]:
    """Return everybody who has the mail and was not asked yet: of those named as wrong, where somebody was."""
    rows = message.as_handed_in.recipients if message is not None and incident.open else ()
    wrong = frozenset(incident.account.wrong)
    return tuple(
        [
            row.index
            for row in rows
            if may_be_asked(row.state, perhaps=row.perhaps)
            and incident.request(row.index) is None
            and (not wrong or row.index in wrong)
        ]
    )


def lines(text: str) -> tuple[str, ...]:
    """Return what somebody wrote, line by line."""
    return tuple([shown(line, TEXT) for line in text[:TEXT].splitlines() if line.strip()])


def _subject(message: Stored | None, story: Timeline | None, words: Words) -> str:
    if message is not None:
        return view.subject_of(message, words)
    return (story.subject if story is not None else "") or words.gettext("(no subject)")


def _asked(incident: Incident, message: Stored | None, words: Words) -> tuple[Asked, ...]:
    """Return the recipients who have the mail or were asked; those that were named as wrong first."""
    rows = message.as_handed_in.recipients if message is not None else ()
    requested = {each.recipient for each in incident.requests}
    wrong = frozenset(incident.account.wrong)
    listed = [
        _one(incident, row, words)
        for row in rows
        if row.index in requested or may_be_asked(row.state, perhaps=row.perhaps)
    ]
    return tuple(sorted(listed, key=lambda each: (each.index not in wrong, each.answered, each.index)))


def _one(incident: Incident, row: Recipient, words: Words) -> Asked:
    request = incident.request(row.index)
    answered = request is not None and request.answer is not None
    may_remind = request is not None and not answered and request.reminders < REMINDERS
    return Asked(
        index=row.index,
        address=shown(str(row.address), view.ADDRESS),
        said=_said(incident, row, words),
        comment=lines((request.comment or "") if request is not None else ""),
        answered=answered,
        askable=request is None and incident.open,
        remindable=may_remind and incident.open,
        wrong=row.index in incident.account.wrong,
    )


def _said(incident: Incident, row: Recipient, words: Words) -> str:
    request = incident.request(row.index)
    if request is None and row.index in (*incident.taken.locked, *incident.taken.unkeyed):
        return words.gettext("files taken back unread; need not be asked")
    return wording.asked_of(request, words)


def _tally(incident: Incident, words: Words) -> tuple[tuple[str, int], ...]:
    """Return how far the requests are, in numbers."""
    said = [each.answer for each in incident.requests]
    _ = words.gettext
    counts = (
        (_("Asked"), len(said)),
        (_("Deleted"), said.count(Answer.DELETED)),
        (_("Not opened, or did not arrive"), said.count(Answer.NOT_OPENED)),
        (_("No answer yet"), said.count(None)),
    )
    return counts if said else ()


def _notes(incident: Incident, words: Words) -> tuple[Written, ...]:
    names = wording.note_names(words)
    lost = words.gettext("(cannot be read any more)")
    return tuple(
        [
            Written(
                names[note.kind],
                wording.moment(note.at, words),
                shown(note.writer, WHO),
                (lost,) if note.text is None else lines(note.text),
            )
            for note in incident.notes
            if note.kind is not NoteKind.DESCRIPTION
        ]
    )
