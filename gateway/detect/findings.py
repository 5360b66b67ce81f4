"""All detectors over one text: what a mail's body, or the text read out of an attachment, holds.

Promise: linear in the text and never raises. Nothing of the text is kept, only how many distinct things of each kind it
holds. A number that passes a check digit and for which nothing else speaks is counted as possible, apart from the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.detect import contacts, digits, persons
from gateway.detect.passwords import passwords
from gateway.message.evidence import Findings


def findings(text: str, tables: Sequence[persons.Table] = ()) -> Findings:
    """Count what a text holds; text and cells are folded (`plain.folded`).

    `tables` are those that were read as such, from a sheet or a CSV. What the text itself draws with tabs, commas or bars
    is found in it; a person in both counts once.
    """
    my_numbers, companies, cards = digits.my_numbers(text), digits.corporate_numbers(text), digits.cards(text)
    return Findings(
        my_number=my_numbers.certain,
        my_number_possible=my_numbers.possible,
        corporate_number=companies.certain,
        corporate_number_possible=companies.possible,
        card=cards.certain,
        card_possible=cards.possible,
        phone=contacts.phones(text),
        postal_address=contacts.postal_addresses(text),
        mail_address=contacts.mail_addresses(text),
        person=persons.persons([*persons.tables(text), *tables]),
        password=len(passwords(text)),
    )
