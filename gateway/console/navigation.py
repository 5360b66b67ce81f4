"""The entries of the navigation: where each leads, what it is called, and who sees it. One table.

An entry is shown to whom its pages admit; the gate, not this table, keeps the others out.
"""

from __future__ import annotations

from gateway.languages import Words
from gateway.people.contract import Grant, Person, Role
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    name: str


def entries(person: Person, words: Words) -> tuple[Entry, ...]:
    """Return what this person finds in the navigation, in order."""
    table = (
        ("/held", words.gettext("Held mail"), {Role.SENDER, Role.ADMIN}),
        ("/approvals", words.gettext("To approve"), {Role.APPROVER}),
        ("/log", words.gettext("Log"), {Role.ADMIN, Role.AUDITOR, Role.ORDERING}),
        ("/incidents", words.gettext("Incidents"), {Role.SENDER, Role.ADMIN, Role.ORDERING}),
        ("/figures", words.gettext("Figures"), {Role.ADMIN, Role.AUDITOR, Role.ORDERING}),
        ("/people", words.gettext("People"), {Role.ADMIN}),
    )
    found = (Entry(path, name) for path, name, roles in table if roles & person.roles)
    whole = Grant(Role.ADMIN) in person.grants  # people are for administrators of the whole organisation
    return tuple(entry for entry in found if whole or entry.path != "/people")
