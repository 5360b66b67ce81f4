"""People as rows: read, written, and told in events. No job of its own."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.people.contract import Grant, Person, Role
from gateway.people.grants import written
from gateway.policy.demands import Language
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.values import Actor
from gateway.store.events import Event, storable
from gateway.store.people_tables import people
from gateway.store.tx import Prepared, Queries, Tx

_P = people.c
PERSON_COLUMNS = (_P.written, _P.name, _P.addresses, _P.grants, _P.language, _P.suspended_at, _P.subject)
ONE = _P.login == bindparam("b_login")

READ = Prepared(select(*PERSON_COLUMNS).where(ONE))
BY_SUBJECT = Prepared(select(_P.login).where(_P.subject == bindparam("b_subject")))
CHANGE = Prepared(
    people.update()
    .where(ONE)
    .values(
        name=bindparam("b_name"),
        addresses=bindparam("b_addresses"),
        grants=bindparam("b_grants"),
        language=bindparam("b_language"),
        changed_at=bindparam("b_at"),
    )
)
_INSERT = Prepared(
    sa.text(
        "INSERT INTO people (login, written, name, addresses, grants, language, subject, added_at, changed_at)"
        " VALUES (:b_login, :b_written, :b_name, :b_addresses, :b_grants, :b_language, :b_subject, :b_at, :b_at)"
        " ON CONFLICT DO NOTHING"
    )
)
_REASONS = {
    "admin": Reason.BY_ADMIN,
    "person": Reason.BY_PERSON,
    "provider": Reason.BY_PROVIDER,
}


class PersonRow(NamedTuple):
    """A person, and who that is to the OpenID provider."""

    person: Person
    subject: str | None


def login_key(login: str) -> str:
    """Return the key of a login: the same in large and small letters."""
    return storable(login.strip().casefold())


def person_of(row: Any) -> PersonRow:
    """Read the columns PERSON_COLUMNS."""
    login, name, addresses, grants, language, suspended_at, subject = row
    person = Person(
        login=login,
        name=name,
        addresses=tuple(json.loads(addresses)),
        grants=tuple(Grant(Role(role), group) for role, group in json.loads(grants)),
        language=Language(language) if language else None,
        suspended=suspended_at is not None,
    )
    return PersonRow(person, subject)


def read_person(queries: Queries, login: str) -> PersonRow | None:
    """Return a person by login."""
    row = queries.row(READ, {"b_login": login_key(login)})
    return None if row is None else person_of(row)


def values_of(person: Person, now: int) -> dict[str, object]:
    """Return the parameters of CHANGE."""
    return {
        "b_login": login_key(person.login),
        "b_name": storable(person.name),
        "b_addresses": json.dumps(person.addresses),
        "b_grants": json.dumps([[grant.role.value, grant.group] for grant in person.grants]),
        "b_language": person.language.value if person.language else None,
        "b_at": now,
    }


def insert_person(tx: Tx, person: Person, subject: str | None, now: int) -> bool:
    """Add a row at once; tell whether the login was free."""
    values = values_of(person, now) | {"b_written": storable(person.login), "b_subject": subject}
    return tx.run(_INSERT, values) == 1


def told(person: Person) -> dict[str, object]:
    """Return what an event says about a person."""
    return {
        "name": person.name,
        "addresses": list(person.addresses),
        "grants": [written(grant) for grant in person.grants],
        "language": person.language.value if person.language else None,
    }


def happened(kind: Kind, login: str, by: Actor, now: int, **detail: object) -> Event:
    """Return an event about a person; `detail` never holds a secret."""
    reason = _REASONS.get(by.kind, Reason.SYSTEM)
    return Event(now, None, kind, reason, by.kind, by.name, detail={"who": storable(login), **detail})


def oneself(login: str) -> Actor:
    """Return a person who acts for themselves."""
    return Actor("person", login)
