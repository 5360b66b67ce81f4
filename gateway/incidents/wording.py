"""Incidents in words: what went wrong, what data, which article asks for a report until when, what taking back did. Pure.

Letters, pages and the draft report say the same because they say it from here. The law's articles are cited as its text
counts them; every list of deadlines carries CAUTION.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

from babel.dates import format_date

from gateway.incidents.clocks import Clock, Ground, Verdict
from gateway.incidents.contract import Answer, Data, Incident, NoteKind, Organisation, Report, Request, What
from gateway.languages import Words, shown
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Stored
from gateway.values import dataclass

ADDRESS, SUBJECT = 320, 300  # characters shown of each
_DAY = {"ja": "y年M月d日(E)", "en": "EEE d MMM y"}


@dataclass(frozen=True, slots=True)
class Deadline:
    """One report in words. `over`: its last day is gone; `done` says when it was handed in."""

    report: Report
    name: str
    until: str
    left: str
    over: bool
    done: str


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients of whom the same is true. `good`: nothing of the mail can be read there."""

    title: str
    good: bool
    members: tuple[tuple[int, str], ...]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple([who for _, who in self.members])


def caution(words: Words) -> str:
    """Return what stands beside every deadline."""
    return words.gettext(
        "These dates are a first orientation. The person in charge of personal information decides."
    )


def what_names(words: Words) -> dict[What, str]:
    _ = words.gettext
    return {
        What.WRONG_RECIPIENTS: _("It went to the wrong people"),
        What.WRONG_FILE: _("The wrong file was attached, or something was in it that should not be"),
        What.ADDRESSES_VISIBLE: _("Recipients could see one another's addresses"),
        What.OTHER: _("Something else"),
    }


def data_names(words: Words) -> dict[Data, str]:
    _ = words.gettext
    return {
        Data.NAME: _("Names"),
        Data.CONTACT: _("Postal addresses, telephone numbers"),
        Data.MAIL_ADDRESS: _("Mail addresses"),
        Data.OTHER: _("Other personal information"),
        Data.SENSITIVE: _("Special care-required information (illness, disability, criminal record and the like)"),
        Data.LOCAL_SENSITIVE: _("Special care-required information by ordinance"),
        Data.FINANCIAL: _("What may cost somebody money if misused (card numbers, accounts with passwords)"),
        Data.MY_NUMBER: _("My Numbers"),
        Data.MALICE: _("It may have been done on purpose (theft, intrusion)"),
        Data.UNKNOWN: _("Not known yet"),
    }  # fmt: skip


def report_names(words: Words) -> dict[Report, str]:
    _ = words.gettext
    return {Report.PRELIMINARY: _("Preliminary report"), Report.FINAL: _("Final report")}


def answer_names(words: Words) -> dict[Answer, str]:
    _ = words.gettext
    return {
        Answer.DELETED: _("says: deleted"),
        Answer.NOT_OPENED: _("says: not opened, or it did not arrive"),
    }


def note_names(words: Words) -> dict[NoteKind, str]:
    _ = words.gettext
    return {
        NoteKind.DESCRIPTION: _("What was told at first"),
        NoteKind.NOTE: _("Note"),
        NoteKind.LETTER: _("Added to the request to delete"),
        NoteKind.CLOSED: _("Closed, because"),
        NoteKind.REOPENED: _("Opened again, because"),
    }


def persons(count: int | None, words: Words) -> str:
    """Return whose data it is, as a number."""
    if count is None:
        return words.gettext("not known yet")
    return words.ngettext("%(n)s person", "%(n)s persons", count)


def grounds(found: Verdict, organisation: Organisation, words: Words) -> tuple[str, ...]:
    """Return why reports are due, each with its article."""
    table = _local(words) if organisation is Organisation.LOCAL_GOVERNMENT else _business(words)
    return tuple([table[ground] for ground in found.grounds])


def deadlines(incident: Incident, found: Verdict, words: Words, now: datetime) -> tuple[Deadline, ...]:
    """Return the clocks as they stand now."""
    done = dict(incident.reported)
    names = report_names(words)
    return tuple(
        [_deadline(clock, names[clock.report], done.get(clock.report), words, now) for clock in found.clocks]
    )


def day(on: date, words: Words) -> str:
    """Write a day with its year: deadlines go over its end."""
    return str(format_date(on, _DAY[words.language], locale=words.language))


def moment(at: datetime, words: Words) -> str:
    """Write a moment with its year."""
    local = at.astimezone(words.zone)
    return f"{day(local.date(), words)} {local:%H:%M}"


def taken_groups(message: Stored | None, taken: TakenBack, words: Words) -> tuple[Group, ...]:
    """Say what taking back did; without the mail's records nobody can be named, so numbers stand for names."""
    _ = words.gettext
    opened = [index for index, _at in taken.opened]
    groups: Sequence[tuple[str, bool, Iterable[int]]] = (
        (_("Not sent, and never will be"), True, taken.stopped),
        (_("Has the mail, but never opened the link; the files are closed now"), True, taken.locked),
        (_("Has the mail, but never got the key; it is not sent any more"), True, taken.unkeyed),
        (_("Had opened the link before; the files are closed now, what was fetched is gone"), False, opened),
        (_("Has all of it: this cannot be undone"), False, taken.gone),
    )
    return tuple([Group(title, good, _people(message, who)) for title, good, who in groups if [*who]])


def asked_of(request: Request | None, words: Words) -> str:
    """Return how far a request to delete is, in words."""
    if request is None:
        return words.gettext("not asked yet")
    if request.answer is not None and request.answered_at is not None:
        at = moment(request.answered_at, words)
        return f"{answer_names(words)[request.answer]} ({at})"
    asked = {"at": moment(request.asked_at, words), "n": request.reminders}
    if request.reminders:
        return words.gettext("asked at %(at)s, reminders: %(n)s, no answer yet") % asked
    return words.gettext("asked at %(at)s, no answer yet") % asked


def _people(message: Stored | None, indexes: Iterable[int]) -> tuple[tuple[int, str], ...]:
    if message is None:
        return tuple([(index, f"#{index + 1}") for index in indexes])
    there = {row.index: str(row.address) for row in message.as_handed_in.recipients}
    return tuple([(index, shown(there[index], ADDRESS)) for index in indexes if index in there])


def _deadline(clock: Clock, name: str, done: datetime | None, words: Words, now: datetime) -> Deadline:
    until = words.gettext("by %(at)s") % {"at": day(clock.due, words)}
    if clock.soon != clock.due:
        soon = {"soon": day(clock.soon, words), "due": day(clock.due, words)}
        until = words.gettext("from %(soon)s to %(due)s at the latest (about 3 to 5 days)") % soon
    if clock.extended is not None:
        until += words.gettext("; offices are closed that day, so by %(at)s") % {
            "at": day(clock.extended, words)
        }
    end = datetime.combine(clock.extended or clock.due, time(23, 59, 59), words.zone)
    return Deadline(
        clock.report,
        name,
        until,
        "" if now >= end else words.duration(end - now),
        now >= end,
        "" if done is None else moment(done, words),
    )


def _local(words: Words) -> dict[Ground, str]:
    _ = words.gettext
    return {
        Ground.SENSITIVE: _("Special care-required information (Act art. 68(1), Rules art. 43(i))"),
        Ground.FINANCIAL: _("Possible loss of money (Act art. 68(1), Rules art. 43(ii))"),
        Ground.MALICE: _("Possibly on purpose (Act art. 68(1), Rules art. 43(iii))"),
        Ground.COUNT: _("More than 100 persons (Act art. 68(1), Rules art. 43(iv))"),
        Ground.LOCAL_SENSITIVE: _("Special care-required information by ordinance (Act art. 68(1), Rules art. 43(v))"),
        **_common(words, 100),
    }  # fmt: skip


def _business(words: Words) -> dict[Ground, str]:
    _ = words.gettext
    return {
        Ground.SENSITIVE: _("Special care-required information (Act art. 26(1), Rules art. 7(i))"),
        Ground.FINANCIAL: _("Possible loss of money (Act art. 26(1), Rules art. 7(ii))"),
        Ground.MALICE: _("Possibly on purpose (Act art. 26(1), Rules art. 7(iii))"),
        Ground.COUNT: _("More than 1,000 persons (Act art. 26(1), Rules art. 7(iv))"),
        **_common(words, 1_000),
    }


def _common(words: Words, threshold: int) -> dict[Ground, str]:
    _ = words.gettext
    unknown = _("Nobody knows yet whether it is more than %(n)s persons; counted as if it were")
    return {
        Ground.MY_NUMBER: _("My Numbers of more than 100 persons, or of nobody knows how many (My Number Act art. 29-4)"),
        Ground.UNKNOWN_COUNT: unknown % {"n": f"{threshold:,}"},
        Ground.UNKNOWN_DATA: _("Nobody knows yet what data it is; counted as if it had to be reported"),
    }  # fmt: skip
