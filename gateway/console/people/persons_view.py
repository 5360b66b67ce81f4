"""What the pages of people show, and what their form says. Reads the store for one person; everything else is pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from urllib.parse import quote

from gateway.console.forms import Fields
from gateway.console.people.words import MAX_TEXT, groups_hint, role_hint, role_name, roles_of, unknown_groups
from gateway.languages import LANGUAGES, Words, shown
from gateway.people.contract import Grant, Person, PersonRefused, Role
from gateway.people.grants import MAX_GROUP, NEVER_OF_A_GROUP
from gateway.people.sql import SqlPeople
from gateway.policy.demands import Language
from gateway.values import dataclass

PAGE = 50  # people on one page


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed about a person, or what the store says in the same shape."""

    login: str = ""
    name: str = ""
    addresses: str = ""
    language: str = ""
    elsewhere: bool = False
    roles: frozenset[Role] = frozenset()
    groups: dict[Role, str] = field(default_factory=dict)


def form_of(fields: Fields) -> Form:
    """Read the form; what our page cannot have sent is left out."""
    given = dict(fields)
    ticked = {value for name, value in fields if name == "role"}
    return Form(
        login=given.get("login", "").strip(),
        name=given.get("name", "").strip(),
        addresses=given.get("addresses", ""),
        language=given.get("language", ""),
        elsewhere="elsewhere" in given,
        roles=frozenset(role for role in Role if role.value in ticked),
        groups={role: given.get(f"groups-{role.value}", "") for role in Role},
    )


def form_from(person: Person) -> Form:
    """Return a person as the form shows them."""
    return Form(
        login=person.login,
        name=person.name,
        addresses="\n".join(person.addresses),
        language=person.language.value if person.language else "",
        roles=person.roles,
        groups={role: _groups(person, role) for role in Role},
    )


def person_in(form: Form) -> Person:
    """Return the person that a form describes; raises PersonRefused."""
    grants = [grant for role in sorted(form.roles) for grant in _grants(role, form.groups.get(role, ""))]
    addresses = tuple(line.strip() for line in form.addresses.splitlines() if line.strip())
    language = Language(form.language) if form.language in LANGUAGES else None
    return Person(form.login, form.name, addresses, tuple(grants), language)


def role_fields(form: Form, known: Sequence[str] | None, words: Words) -> list[dict[str, object]]:
    """Return the boxes and fields for roles; `known` are the policy's groups, None where nobody knows them."""
    return [
        {
            "value": role.value,
            "name": role_name(role, words),
            "hint": role_hint(role, words),
            "ticked": role in form.roles,
            "grouped": role not in NEVER_OF_A_GROUP,
            "groups": form.groups.get(role, ""),
            "groups_hint": groups_hint(role, words),
            "unknown": unknown_groups(_names(form.groups.get(role, "")), known, words),
        }
        for role in Role
    ]


def list_rows(people: Sequence[Person], words: Words) -> list[dict[str, object]]:
    """Return the rows of the list."""
    return [
        {
            "name": shown(person.name, MAX_TEXT),
            "login": shown(person.login, MAX_TEXT),
            "roles": roles_of(person, words),
            "suspended": person.suspended,
            "path": person_path(person.login),
        }
        for person in people
    ]


def person_path(login: str) -> str:
    """Return the path of a person's page."""
    return f"/people/person?login={quote(login, safe='')}"


async def person_values(
    people: SqlPeople, login: str, known: Sequence[str] | None, words: Words
) -> dict[str, object]:
    """Return what the page of one person shows, given the policy's groups; raises UnknownPerson."""
    person = await people.get(login)
    had = await people.own.of(login)
    form = form_from(person)
    tokens = len(await people.tokens.of(login))
    factor = words.gettext("set up") if had.totp_at is not None else words.gettext("not set up")
    return {
        "login": person.login,
        "shown_name": shown(person.name, MAX_TEXT),
        "suspended": person.suspended,
        "form": form,
        "roles": role_fields(form, known, words),
        "has_password": had.password is not None,
        "second_factor": had.totp_at is not None,
        "sessions": len(await people.sessions(login)),
        "facts": [
            (words.gettext("Login"), shown(person.login, MAX_TEXT)),
            (words.gettext("Tasks"), roles_of(person, words)),
            (words.gettext("One-time password"), factor),
            (words.gettext("Tokens for programs"), str(tokens)),
        ],
    }


def _groups(person: Person, role: Role) -> str:
    groups = person.groups_as(role)
    return "" if "" in groups and role is not Role.SENDER else ", ".join(sorted(groups - {""}))


def _names(text: str) -> list[str]:
    """Return the groups that a field names; the names of some have spaces in them."""
    return [name for each in re.split(r"[,、，\r\n]+", text) if (name := each.strip())]


def _grants(role: Role, text: str) -> list[Grant]:
    names = _names(text)
    if not names or role in NEVER_OF_A_GROUP:
        return [Grant(role)]
    if any(len(name) > MAX_GROUP or not name.isprintable() for name in names):
        raise PersonRefused("grant")
    return [Grant(role, name) for name in names]
