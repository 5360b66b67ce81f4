"""What a report page fills in by itself: how many persons' data a mail holds, and what data, as far as was found. Pure.

Only ever a suggestion, for a person to correct: from the counts recorded with the decision (docs/decisions/0055), never from
a text.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.incidents.contract import Data
from gateway.message.evidence import Findings
from gateway.message.facts import Facts
from gateway.spool.values import Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`persons` is None where nothing tells; `from_files`: it is a count of the files, not of the recipients."""

    persons: int | None
    data: frozenset[Data]
    from_files: bool


def suggest(message: Stored, facts: Facts | None) -> Suggestion:
    """Return what the recorded findings say; without any, the people outside whose addresses the mail holds."""
    found = tuple(_findings(facts))
    in_files = max((_people(each) for each in found), default=0)
    outside = sum(row.external for row in message.as_handed_in.recipients)
    data = frozenset().union(*map(_data, found)) | {Data.MAIL_ADDRESS}
    return Suggestion(in_files or outside or None, data, bool(in_files))


def _findings(facts: Facts | None) -> Iterable[Findings]:
    content = facts.evidence.content if facts is not None else None
    if content is None:
        return ()
    return (content.body, *(each.found for each in content.files))


def _people(found: Findings) -> int:
    return max(found.person, found.my_number, found.mail_address)


def _data(found: Findings) -> Iterable[Data]:
    if found.person:
        yield Data.NAME
    if found.postal_address or found.phone:
        yield Data.CONTACT
    if found.my_number:
        yield Data.MY_NUMBER
    if found.card:
        yield Data.FINANCIAL
