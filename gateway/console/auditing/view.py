"""Lines of the log, stories and verdicts as a template takes them: a pure step. Whatever a stranger chose passes `shown`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from gateway.audit import wording
from gateway.audit.auditing import Line
from gateway.audit.entries import Entry
from gateway.audit.fitting import groups_of, recipients_of
from gateway.console import view
from gateway.languages import Words, shown
from gateway.spool.ranges import from_ranges
from gateway.values import dataclass

NAMED = 2  # recipients named in a line
_OUTCOMES = ("delivered", "cancelled", "bounced")
_OTHERS = ("approved", "taken-back", "incident-opened", "body-opened")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `path` leads to the story of a mail, empty for an event without one."""

    at: str
    what: str
    who: str
    subject: str
    recipients: str
    groups: str
    outcome: str
    path: str


def row(line: Line, words: Words) -> Row:
    """Return one line of the list."""
    entry = line.entry
    mail = entry.kind in ("accepted", "refused")
    sender = str(entry.detail.get("sender", "")) or words.gettext("a notice (no sender)")
    return Row(
        at=moment(entry.at, words),
        what=wording.what(entry.kind, words),
        who=shown(sender, view.ADDRESS) if mail else _actor(entry, words),
        subject=shown(str(entry.detail.get("subject", "")), view.SUBJECT) if mail else "",
        recipients=_recipients(entry, words) if mail else "",
        groups=", ".join(groups_of(entry.detail)),
        outcome=_outcome(line.events, words),
        path=f"/log/{entry.queue_id}" if entry.queue_id is not None else "",
    )


def moment(at: datetime, words: Words) -> str:
    """Write a moment with its year and second, in local time, as a log wants it."""
    return at.astimezone(words.zone).strftime("%Y-%m-%d %H:%M:%S")


def kinds(names: Iterable[str], words: Words) -> list[tuple[str, str]]:
    """Return the choices of what happened."""
    return [("", words.gettext("(anything)")), *((name, wording.what(name, words)) for name in names)]


def _actor(entry: Entry, words: Words) -> str:
    name = shown(entry.actor_name, view.ADDRESS)
    part = wording.who(entry.actor_kind, words)
    return f"{part} {name}" if name else part


def _recipients(entry: Entry, words: Words) -> str:
    addresses = recipients_of(entry.detail)
    named = ", ".join(shown(each, view.ADDRESS) for each in addresses[:NAMED])
    more = len(addresses) - NAMED
    if more <= 0:
        return named
    return named + words.ngettext(" and %(n)s more", " and %(n)s more", more)


def _outcome(events: Iterable[Entry], words: Words) -> str:
    """Say what became of a mail: how many recipients, and what people did."""
    people, others = Counter[str](), dict[str, None]()
    for event in events:
        if event.kind in _OUTCOMES:
            people[event.kind] += _count(event)
        elif event.kind in _OTHERS:
            others[event.kind] = None
    said = [f"{wording.what(kind, words)} {people[kind]}" for kind in _OUTCOMES if people[kind]]
    return " / ".join([*said, *(wording.what(kind, words) for kind in others)])


def _count(entry: Entry) -> int:
    try:
        return len(from_ranges(entry.recipients))
    except ValueError:  # somebody altered the event; the verification names it
        return 0
