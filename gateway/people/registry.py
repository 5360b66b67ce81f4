"""Jobs on people: add, change, suspend, resume, remove. Each is one transaction, with its event in it.

The last administrator of the whole organisation stays one: nobody can lock everybody out from a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import bindparam, select

from gateway.people.contract import Grant, Person, PersonRefused, Role, UnknownPerson
from gateway.people.rows import (
    CHANGE,
    ONE,
    PERSON_COLUMNS,
    happened,
    insert_person,
    login_key,
    person_of,
    read_person,
    told,
    values_of,
)
from gateway.people.session_rows import end_all
from gateway.policy.demands import Language
from gateway.spool.lifecycle import Kind
from gateway.spool.values import Actor
from gateway.store.events import storable
from gateway.store.people_tables import people
from gateway.store.tx import Prepared, Queries, Tx

_P = people.c
_ADMIN = Grant(Role.ADMIN)
_SUSPEND = Prepared(
    people.update().where(ONE).values(suspended_at=bindparam("b_suspended"), changed_at=bindparam("b_at"))
)
_REMOVE = Prepared(people.delete().where(ONE))
_ADMINS = Prepared(  # locked, in one order: two who stop each other on two gateways would both see the other
    select(*PERSON_COLUMNS)
    .where(_P.suspended_at.is_(None), _P.grants.like(bindparam("b_like")))
    .order_by(_P.login)
    .with_for_update()
)
_FIND = Prepared(
    select(*PERSON_COLUMNS)
    .where(
        _P.login > bindparam("b_after"),
        _P.login.like(bindparam("b_like"), escape="\\") | _P.name.ilike(bindparam("b_like"), escape="\\"),
    )
    .order_by(_P.login)
    .limit(bindparam("b_limit"))
)
_ALL = Prepared(select(*PERSON_COLUMNS))
_SUSPENDED = Prepared(select(_P.login).where(_P.suspended_at.is_not(None)))


def get(login: str) -> Callable[[Queries], Person]:
    """Read one person; raises UnknownPerson."""

    def read(queries: Queries) -> Person:
        return _known(queries, login)

    return read


def find(words: str, limit: int, after: str) -> Callable[[Queries], list[Person]]:
    """Read people whose login or name holds the words, in the order of logins."""
    plain = storable(words).strip().casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    wanted = {"b_after": storable(after), "b_like": f"%{plain}%", "b_limit": limit}

    def read(queries: Queries) -> list[Person]:
        return [person_of(row).person for row in queries.rows(_FIND, wanted)]

    return read


def suspended(queries: Queries) -> frozenset[str]:
    """Read the logins (small letters) of all who are suspended."""
    return frozenset(row[0] for row in queries.rows(_SUSPENDED))


def addresses_of_suspended(queries: Queries) -> frozenset[str]:
    """Read the mailboxes (keys) of all who are suspended; one that somebody else shares, who is not, is theirs still."""
    found = [person_of(row).person for row in queries.rows(_ALL)]
    kept = {key for person in found if not person.suspended for key in person.addresses}
    return frozenset(key for person in found if person.suspended for key in person.addresses) - kept


def languages(queries: Queries) -> dict[str, Language]:
    """Read which language the owners of mailboxes (keys) chose; of one that several share and who differ, nothing."""
    chosen: dict[str, set[Language]] = {}
    for row in queries.rows(_ALL):
        person = person_of(row).person
        if person.language is not None and not person.suspended:
            for key in person.addresses:
                chosen.setdefault(key, set()).add(person.language)
    return {key: several.pop() for key, several in chosen.items() if len(several) == 1}


def add(person: Person, by: Actor, now: int) -> Callable[[Tx], None]:
    """Add a person; raises PersonRefused where the login is there."""

    def job(tx: Tx) -> None:
        if not insert_person(tx, person, None, now):
            raise PersonRefused("exists")
        tx.event(happened(Kind.PERSON, person.login, by, now, what="added", **told(person)))

    return job


def change(person: Person, by: Actor, now: int) -> Callable[[Tx], None]:
    """Set name, addresses, grants and language."""

    def job(tx: Tx) -> None:
        before = _known(tx, person.login)
        if _ADMIN not in person.grants:
            _keep_an_admin(tx, before)
        after = replace(person, login=before.login, suspended=before.suspended)
        if after == before:
            return
        tx.run(CHANGE, values_of(after, now))
        was = {key: value for key, value in told(before).items() if value != told(after)[key]}
        tx.event(happened(Kind.PERSON, before.login, by, now, what="changed", was=was, **told(after)))

    return job


def speak(login: str, language: Language, by: Actor, now: int) -> Callable[[Tx], None]:
    """Set the language that a person reads."""

    def job(tx: Tx) -> None:
        change(replace(_known(tx, login), language=language), by, now)(tx)

    return job


def suspend(login: str, by: Actor, now: int) -> Callable[[Tx], None]:
    """Suspend a person and end their sessions."""

    def job(tx: Tx) -> None:
        before = _known(tx, login)
        _keep_an_admin(tx, before)
        ended = end_all(tx, login)
        if before.suspended:
            return
        tx.run(_SUSPEND, {"b_login": login_key(login), "b_suspended": now, "b_at": now})
        tx.event(happened(Kind.PERSON, before.login, by, now, what="suspended", sessions=ended))

    return job


def resume(login: str, by: Actor, now: int) -> Callable[[Tx], None]:
    """Let a person in again."""

    def job(tx: Tx) -> None:
        before = _known(tx, login)
        if not before.suspended:
            return
        tx.run(_SUSPEND, {"b_login": login_key(login), "b_suspended": None, "b_at": now})
        tx.event(happened(Kind.PERSON, before.login, by, now, what="resumed"))

    return job


def remove(login: str, by: Actor, now: int) -> Callable[[Tx], None]:
    """Delete a person and everything that hangs on them."""

    def job(tx: Tx) -> None:
        before = _known(tx, login)
        _keep_an_admin(tx, before)
        tx.run(_REMOVE, {"b_login": login_key(login)})
        tx.event(happened(Kind.PERSON, before.login, by, now, what="removed", **told(before)))

    return job


def _known(queries: Queries, login: str) -> Person:
    found = read_person(queries, login)
    if found is None:
        raise UnknownPerson(login)
    return found.person


def _keep_an_admin(tx: Tx, person: Person) -> None:
    """Raise PersonRefused where this is the only administrator of the whole organisation who can sign in."""
    if _ADMIN not in person.grants or person.suspended:
        return
    admins = [person_of(row).person for row in tx.rows(_ADMINS, {"b_like": '%"admin"%'})]
    if not any(_ADMIN in each.grants for each in admins if each.login != person.login):
        raise PersonRefused("last-admin")
