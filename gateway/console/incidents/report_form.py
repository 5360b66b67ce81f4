"""What somebody tells when a mail went wrong, as fields of a form: read, checked, shown again with what is wrong beside it.

Pure. The page fills in what is known; nothing is ticked among the recipients, so that nobody is named by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime, time

from gateway.acting.on_incidents import A_MOMENT, LONGEST_AGO
from gateway.console import view
from gateway.console.forms import Fields, numbers
from gateway.console.pages import Failure
from gateway.incidents import wording
from gateway.incidents.contract import MAX_PERSONS, TEXT, Account, Data, What
from gateway.incidents.suggesting import Suggestion
from gateway.languages import Words, shown
from gateway.spool.values import Stored
from gateway.values import dataclass

SHOWN = 1_000  # recipients with a box; who is named, and who is outside, comes first
Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A recipient who may be named."""

    index: int
    address: str
    outside: bool
    state: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The form as a template takes it; `errors` are by field."""

    what: tuple[tuple[str, str, str], ...]
    chosen: str
    rows: tuple[Row, ...]
    more: int
    known_day: str
    known_time: str
    persons: str
    data: tuple[tuple[str, str, bool], ...]
    description: str
    today: str
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """What was posted: the account, or what is wrong by field."""

    typed: Typed
    wrong: frozenset[int]
    data: frozenset[Data]
    account: Account | None
    errors: Mapping[str, str]


def fresh(message: Stored, suggested: Suggestion, words: Words, now: datetime) -> Form:
    """Return the form as it begins."""
    local = now.astimezone(words.zone)
    typed = {
        "what": "",
        "known_day": local.date().isoformat(),
        "known_time": f"{local:%H:%M}",
        "persons": "" if suggested.persons is None else str(suggested.persons),
        "description": "",
    }
    return _form(message, typed, frozenset(), suggested.data, words, now, {})


def of_account(message: Stored | None, account: Account, words: Words, now: datetime) -> Form:
    """Return the form filled in with what was told before, to be corrected."""
    local = account.known_at.astimezone(words.zone)
    typed = {
        "what": account.what.value,
        "known_day": local.date().isoformat(),
        "known_time": f"{local:%H:%M}",
        "persons": "" if account.persons is None else str(account.persons),
        "description": "",
    }
    return _form(message, typed, frozenset(account.wrong), account.data, words, now, {})


def again(message: Stored | None, read: Read, words: Words, now: datetime) -> Form:
    """Return the form as it was posted, with what is wrong."""
    return _form(message, read.typed, read.wrong, read.data, words, now, read.errors)


def read(fields: Fields, message: Stored | None, words: Words, now: datetime) -> Read:
    """Read a posted form; raises Failure on what our page cannot have sent."""
    said = dict(fields)
    names = ("what", "known_day", "known_time", "persons", "description")
    typed = {name: said.get(name, "").strip() for name in names}
    there = frozenset(row.index for row in message.as_handed_in.recipients) if message is not None else None
    wrong = numbers(fields, "recipient")
    if (there is not None and not wrong <= there) or len(typed["description"]) > TEXT:
        raise Failure(400)
    try:
        data = frozenset(Data(value) for name, value in fields if name == "data")
    except ValueError:
        raise Failure(400) from None
    errors: dict[str, str] = {}
    what = _what(typed, words, errors)
    known = _known(typed, words, now, errors)
    persons = _persons(typed, words, errors)
    account = None
    if not errors and what is not None and known is not None:
        account = Account(what, tuple(sorted(wrong)), data, persons, known, typed["description"])
    return Read(typed, wrong, data, account, errors)


def _what(typed: Typed, words: Words, errors: dict[str, str]) -> What | None:
    if typed["what"] in {each.value for each in What}:
        return What(typed["what"])
    errors["what"] = words.gettext("Please choose what went wrong.")
    return None


def _known(typed: Typed, words: Words, now: datetime, errors: dict[str, str]) -> datetime | None:
    try:
        on, at = date.fromisoformat(typed["known_day"]), time.fromisoformat(typed["known_time"] or "00:00")
        known = datetime.combine(on, at.replace(tzinfo=None), words.zone)
    except ValueError:
        errors["known"] = words.gettext("Please enter the day and the time.")
        return None
    if not now - LONGEST_AGO <= known <= now + A_MOMENT:
        errors["known"] = words.gettext("This lies in the future, or more than a year ago.")
        return None
    return min(known, now)


def _persons(typed: Typed, words: Words, errors: dict[str, str]) -> int | None:
    text = typed["persons"]
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PERSONS)) and int(text) <= MAX_PERSONS:
        return int(text)
    errors["persons"] = words.gettext("Please enter a number, or nothing if it is not known.")
    return None


def _form(
    message: Stored | None,
    typed: Typed,
    wrong: frozenset[int],
    data: frozenset[Data],
    words: Words,
    now: datetime,
    errors: Mapping[str, str],
) -> Form:
    rows = message.as_handed_in.recipients if message is not None else ()
    states = view.state_names(words)
    # Who is outside and has the mail is whom one looks for; it must not be what the bound cuts off.
    listed = sorted(rows, key=lambda row: (row.index not in wrong, not row.external, row.index))
    return Form(
        what=tuple([(each.value, name, "") for each, name in wording.what_names(words).items()]),
        chosen=typed["what"],
        rows=tuple(
            [
                Row(
                    row.index,
                    shown(str(row.address), view.ADDRESS),
                    row.external,
                    view.fate(row, states, words),
                    row.index in wrong,
                )
                for row in listed[:SHOWN]
            ]
        ),
        more=max(0, len(rows) - SHOWN),
        known_day=typed["known_day"],
        known_time=typed["known_time"],
        persons=typed["persons"],
        data=tuple([(each.value, name, each in data) for each, name in wording.data_names(words).items()]),
        description=typed["description"],
        today=now.astimezone(words.zone).date().isoformat(),
        errors=errors,
    )
