"""The management record of one contract (a group of the policy) and one month: figures out of the event log.

What counts is when it happened: a mail that came in October and was cancelled in November is cancelled in November's record.
Mail that the gateway wrote itself does not count. Bounded: so many people and incidents are named, the rest is counted.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.audit.entries import Entry, Question
from gateway.audit.fitting import groups_of, recipients_of
from gateway.audit.log import EventLog
from gateway.spool.ranges import from_ranges
from gateway.values import dataclass

PEOPLE = 10  # approvers named: one page
INCIDENTS = 5  # incidents named
REMEMBERED = 100_000  # mails whose group is kept in mind while a month is read: some 20 MiB

KINDS = (
    *("accepted", "refused", "cancelled", "released", "delivered", "bounced", "approved", "purged"),
    *("incident-opened", "incident-closed", "deletion-asked", "deletion-answered", "taken-back"),
)


@dataclass(slots=True)
class Figures:
    """Counts of one month: mails, or recipients where it says so."""

    mails: int = 0
    recipients: int = 0
    refused: int = 0
    held: int = 0
    released: int = 0  # recipients
    cancelled: int = 0  # recipients
    rejected: int = 0  # recipients, cancelled because an approver said no
    delivered: int = 0  # recipients
    bounced: int = 0  # recipients
    taken_back: int = 0
    bodies_destroyed: int = 0
    records_deleted: int = 0
    incidents_opened: int = 0
    incidents_closed: int = 0
    deletions_asked: int = 0
    deletions_answered: int = 0
    approvals: Counter[str] = field(default_factory=Counter)
    cancels: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that was opened in the month."""

    at: datetime
    queue_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """What the page shows. `until` is the end of the month, or the time it was made where the month is not over."""

    group: str
    since: datetime
    until: datetime
    made_at: datetime
    figures: Figures
    incidents: tuple[Incident, ...]

    @property
    def over(self) -> bool:
        return self.until <= self.made_at


def month(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the beginning of a month (`2026-11`) and of the next one; raises ValueError."""
    if len(text) != len("2026-11") or not text.isascii():
        raise ValueError("a month is written 2026-11")
    begin = datetime.strptime(text, "%Y-%m").replace(tzinfo=zone)
    year, number = (begin.year + 1, 1) if begin.month == 12 else (begin.year, begin.month + 1)
    return begin, begin.replace(year=year, month=number)


def record(log: EventLog, group: str, since: datetime, until: datetime, now: datetime) -> Record:
    """Read a month; a million events take half a minute. Raises StoreUnavailable."""
    events = log.stream(Question(since=since, until=until, kinds=KINDS))
    figures, incidents = Figures(), list[Incident]()
    for entry in _of_group(log, events, group):
        count(figures, entry)
        if entry.kind == "incident-opened" and len(incidents) < INCIDENTS:
            incidents.append(Incident(entry.at, entry.queue_id or ""))
    return Record(group, since, until, now, figures, tuple(incidents))


def count(figures: Figures, entry: Entry) -> None:
    """Add one event of the group."""
    match entry.kind:
        case "accepted":
            figures.mails += 1
            figures.recipients += len(recipients_of(entry.detail))
            figures.held += bool(entry.detail.get("held"))
        case "cancelled":
            _count_cancelled(figures, entry)
        case "approved":
            figures.approvals[entry.actor_name] += 1
        case "purged":
            figures.bodies_destroyed += entry.detail.get("what") == "body"
            figures.records_deleted += entry.detail.get("what") == "record"
        case _:
            _count_other(figures, entry)


def _count_cancelled(figures: Figures, entry: Entry) -> None:
    people = _people(entry)
    figures.cancelled += people
    if entry.reason == "rejected":
        figures.rejected += people
    if entry.actor_name:
        figures.cancels[entry.actor_name] += people


def _count_other(figures: Figures, entry: Entry) -> None:
    each = {"released": "released", "delivered": "delivered", "bounced": "bounced"}.get(entry.kind)
    if each is not None:
        setattr(figures, each, getattr(figures, each) + _people(entry))
        return
    name = {
        "refused": "refused",
        "taken-back": "taken_back",
        "incident-opened": "incidents_opened",
        "incident-closed": "incidents_closed",
        "deletion-asked": "deletions_asked",
        "deletion-answered": "deletions_answered",
    }[entry.kind]
    setattr(figures, name, getattr(figures, name) + 1)


def _people(entry: Entry) -> int:
    try:
        return len(from_ranges(entry.recipients))
    except ValueError:  # somebody altered the event; the verification names it
        return 0


def _of_group(log: EventLog, entries: Iterable[Entry], group: str) -> Iterable[Entry]:
    known: OrderedDict[str, bool] = OrderedDict()
    for entry in entries:
        if entry.queue_id is None:
            if entry.kind == "refused" and group in groups_of(entry.detail):
                yield entry
            continue
        belongs = known.get(entry.queue_id)
        if belongs is None:
            accepted = entry if entry.kind == "accepted" else log.accepted(entry.queue_id)
            belongs = accepted is not None and _counts(accepted, group)
            known[entry.queue_id] = belongs
            if len(known) > REMEMBERED:
                known.popitem(last=False)
        if belongs:
            yield entry


def _counts(accepted: Entry, group: str) -> bool:
    return group in groups_of(accepted.detail) and not accepted.detail.get("from_gateway")
