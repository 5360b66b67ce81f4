"""Every detector on every text that was written for it: exact, so that a change of mind is seen in the set."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.detect import contacts, digits, passwords, persons
from gateway.detect.plain import folded
from gateway.detect.salutation import greets_somebody_else
from tests.detect import labelled
from tests.detect.labelled import Letter, Text

DETECTORS: dict[str, tuple[Callable[[str], int], list[Text]]] = {
    "my-number": (lambda text: digits.my_numbers(text).certain, labelled.MY_NUMBERS),
    "corporate-number": (lambda text: digits.corporate_numbers(text).certain, labelled.CORPORATE),
    "card": (lambda text: digits.cards(text).certain, labelled.CARDS),
    "phone": (contacts.phones, labelled.PHONES),
    "postal-address": (contacts.postal_addresses, labelled.ADDRESSES),
    "password": (lambda text: len(passwords.passwords(text)), labelled.PASSWORDS),
    "persons": (lambda text: persons.persons(persons.tables(text)), labelled.PERSONS),
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, (_, texts) in DETECTORS.items() for text in texts]
)
def test_a_text(kind: str, text: Text) -> None:
    assert DETECTORS[kind][0](folded(text.text)) == text.count, text.note


@pytest.mark.parametrize("letter", labelled.LETTERS, ids=lambda letter: letter.text[:12])
def test_a_letter(letter: Letter) -> None:
    assert greets_somebody_else(folded(letter.text), letter.to, letter.names) is letter.wrong, letter.note
