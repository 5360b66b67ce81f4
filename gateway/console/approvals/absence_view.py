"""What the page about one's own absences shows, and what its form says: pure steps between text and values.

Somebody writes local times as browsers do (`2026-11-24T09:00`), or a day: then the whole day is meant, the last one included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.languages import Words, shown
from gateway.spool.attendance import MAX_NOTE, Absence
from gateway.values import dataclass

_DAY = len("2026-11-24")
_LONGEST = len("2026-11-24T09:00:00")


@dataclass(frozen=True, slots=True)
class Line:
    """One absence as it is listed; `since` names it in a form."""

    since: str
    begins: str
    ends: str
    note: str
    now: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form said, to be shown again where something is wrong: `errors` are sentences by field."""

    since: str = ""
    until: str = ""
    note: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def lines(absences: Iterable[Absence], words: Words, now: datetime) -> tuple[Line, ...]:
    """Return one's absences in order; those of several mailboxes that say the same are one."""
    found = {(each.since, each.until): each for each in absences}
    return tuple(
        Line(
            since=each.since.astimezone(UTC).isoformat(),
            begins=words.moment(each.since),
            ends=words.moment(each.until),
            note=shown(each.note, MAX_NOTE),
            now=each.at(now),
        )
        for _, each in sorted(found.items())
    )


def moment(text: str, zone: ZoneInfo, *, end: bool) -> datetime | None:
    """Read a local time or a day; the end of that day where `end`. None for what is neither."""
    try:
        read = datetime.fromisoformat(text[: _LONGEST + 1])
    except ValueError:
        return None
    if read.tzinfo is not None or not 2000 <= read.year < 9000:
        return None
    whole_day = timedelta(days=1) if end and len(text) == _DAY else timedelta(0)
    return (read + whole_day).replace(tzinfo=zone).astimezone(UTC)


def read(
    fields: Mapping[str, str], zone: ZoneInfo, words: Words
) -> tuple[Asked, tuple[datetime, datetime] | None]:
    """Return what the form says, and the span; None with sentences about what is wrong."""
    since, until, note = (fields.get(name, "").strip() for name in ("since", "until", "note"))
    begins, ends = moment(since, zone, end=False), moment(until, zone, end=True)
    errors = {}
    if begins is None:
        errors["since"] = words.gettext("Please give the day and the time.")
    if ends is None:
        errors["until"] = words.gettext("Please give the day and the time.")
    asked = Asked(since[:_LONGEST], until[:_LONGEST], note[:MAX_NOTE], errors)
    return asked, None if begins is None or ends is None else (begins, ends)


def refused(asked: Asked, why: str, words: Words) -> Asked:
    """Return the form with the sentence for what cannot be kept (`absences.checked`)."""
    _ = words.gettext
    sentence = {
        "order": _("The end has to lie behind the begin."),
        "past": _("This time is over already."),
        "long": _("At most one year at a time."),
        "far": _("This lies too far ahead. Please check the year."),
        "many": _("There are too many absences already. Please remove one that is not needed."),
    }[why]
    return Asked(asked.since, asked.until, asked.note, {"until": sentence})
