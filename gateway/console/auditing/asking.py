"""What somebody asks of the log, out of an address or a form: a question within their scope. Pure.

What is no date or no known choice asks nothing, and is said beside the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.audit.entries import Question
from gateway.people.contract import Person
from gateway.people.sight import Act, scope_of, sees_subjects
from gateway.values import dataclass

MAX_WORDS = 254  # characters in one field: an address
PAGE = 50  # lines on a page
NAMES = ("subject", "since", "until", "sender", "recipient", "group", "rule", "kind", "actor")
KINDS = (
    *("accepted", "refused", "released", "cancelled", "approved", "delivered", "bounced", "taken-back"),
    *("incident-opened", "body-opened", "purged", "exported", "certified", "policy", "account", "person"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`question` is what may be looked for; `fields` are texts as they were given; `wrong` names those that are no dates."""

    question: Question
    fields: Mapping[str, str]
    wrong: frozenset[str] = field(default_factory=frozenset)
    subjects: bool = True

    @property
    def narrowed(self) -> bool:
        """Tell whether something besides words of the subject is asked."""
        return any(value for name, value in self.fields.items() if name != "subject")


def asked(person: Person, get: Callable[[str], str], zone: ZoneInfo, for_ordering: bool) -> Asked:
    """Return what is asked; `get` gives the text of a field, empty for none."""
    fields = {name: get(name).strip()[:MAX_WORDS] for name in NAMES}
    subjects = sees_subjects(person, for_ordering)
    if not subjects:
        fields["subject"] = ""
    since, until = _day(fields["since"], zone), _day(fields["until"], zone)
    question = Question(
        since=since,
        until=until and until + timedelta(days=1),
        sender=fields["sender"] or None,
        recipient=fields["recipient"] or None,
        subject=fields["subject"] or None,
        group=fields["group"] or None,
        rule=fields["rule"] or None,
        actor=fields["actor"] or None,
        kinds=(fields["kind"],) if fields["kind"] in KINDS else (),
        limit=PAGE,
        scope=scope_of(person, Act.LOG),
    )
    wrong = {name for name, day in (("since", since), ("until", until)) if fields[name] and day is None}
    return Asked(question, fields, frozenset(wrong), subjects)


def _day(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the beginning of a day; None where it is no day that a log may have."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=zone) if 1990 <= day.year <= 2200 else None
