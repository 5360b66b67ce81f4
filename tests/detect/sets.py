"""Every detector and the set that was written for it."""

from __future__ import annotations

from collections.abc import Callable

from gateway.detect import contacts, digits, passwords, persons
from tests.detect.contact_texts import ADDRESSES, MAILS, PHONES
from tests.detect.labelled import Text
from tests.detect.number_texts import CARDS, CORPORATE, MY_NUMBERS
from tests.detect.password_texts import PASSWORDS
from tests.detect.people_texts import PERSONS

DETECTORS: dict[str, tuple[Callable[[str], int], list[Text]]] = {
    "my-number": (lambda text: digits.my_numbers(text).certain, MY_NUMBERS),
    "corporate-number": (lambda text: digits.corporate_numbers(text).certain, CORPORATE),
    "card": (lambda text: digits.cards(text).certain, CARDS),
    "phone": (contacts.phones, PHONES),
    "postal-address": (contacts.postal_addresses, ADDRESSES),
    "mail-address": (contacts.mail_addresses, MAILS),
    "password": (lambda text: len(passwords.passwords(text)), PASSWORDS),
    "person": (lambda text: persons.persons(persons.tables(text)), PERSONS),
}
