"""What the page with the keys shows, as plain values: who is to be told which key, how it is said, and until when. Pure.

The one place of the console where keys are in values. They stand in no `repr`, and nothing here is ever logged or kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from gateway.console import view
from gateway.languages import LANGUAGES, Words, shown
from gateway.policy.handling import Handling
from gateway.policy.protection import How
from gateway.protect.spoken import spoken
from gateway.spool.key_contract import ShownKey
from gateway.spool.values import Stored
from gateway.values import dataclass

CARDS = 50  # keys on one sheet; a mail with a key for each recipient may have thousands
PEOPLE = 100  # recipients named beside one key
FILES = 5  # files named in the script


@dataclass(frozen=True, slots=True)
class Card:
    """One key: for whom, until when, and how it is said: lines by language, the reader's first."""

    people: tuple[str, ...]
    more: int
    until: str
    text: str = field(repr=False)
    spoken: tuple[tuple[str, tuple[str, ...]], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The keys from number `first` on; `next` is the first of the next sheet, 0 where there is none."""

    subject: str
    files: tuple[str, ...]
    more_files: int
    cards: tuple[Card, ...]
    first: int
    next: int
    total: int


def sheet(message: Stored, keys: Sequence[ShownKey], first: int, words: Words) -> Sheet:
    """Return a sheet of up to CARDS keys; those of nobody whom the sender knows of are left out."""
    addresses = {row.index: shown(str(row.address), view.ADDRESS) for row in message.recipients}
    known = [key for key in keys if any(index in addresses for index in key.recipients)]
    first = first if first < len(known) else 0
    listed = known[first : first + CARDS]
    behind = first + len(listed)
    names = _names(message, listed, words)
    return Sheet(
        subject=view.subject_of(message, words),
        files=names[:FILES],
        more_files=max(0, len(names) - FILES),
        cards=tuple([_card(key, addresses, words) for key in listed]),
        first=first,
        next=behind if behind < len(known) else 0,
        total=len(known),
    )


def _card(key: ShownKey, addresses: Mapping[int, str], words: Words) -> Card:
    people = [addresses[index] for index in key.recipients if index in addresses]
    languages = sorted(LANGUAGES, key=lambda language: language != words.language)
    return Card(
        people=tuple(people[:PEOPLE]),
        more=max(0, len(people) - PEOPLE),
        until=words.moment(key.expires_at),
        text=key.text,
        spoken=tuple([(language, said) for language in languages if (said := _said(key.text, language))]),
    )


def _said(text: str, language: str) -> tuple[str, ...]:
    """Return how a key is said; nothing for one that we did not make and cannot spell."""
    try:
        return spoken(text, language)
    except KeyError:
        return ()


def _names(message: Stored, keys: Sequence[ShownKey], words: Words) -> tuple[str, ...]:
    """Return the names of the files that these keys open."""
    places = {
        place
        for key in keys
        for index in key.recipients
        for place in _sealed(message.decision.of(index).handling)
    }
    files = [file for file in message.decision.files if file.place in places]
    return tuple([shown(file.name, view.FILE_NAME) or words.gettext("(no name)") for file in files])


def _sealed(handling: Handling | None) -> tuple[int, ...]:
    return () if handling is None else tuple(place for place, how in handling.forms if how is not How.BLOCK)
