"""Somebody arrives with the word of the OpenID provider: found or added, changed as it says, and signed in. Jobs.

Who has a password here is never taken over by a name that the provider gives: such a login is somebody else's. Who was added
here without a password is waited for, and becomes the provider's at the first sign-in. Without a role nobody gets in, and what
the person had here is theirs no longer; a new person is then not even added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import bindparam, select

from gateway.people import credentials
from gateway.people.contract import Person
from gateway.people.oidc.claims import Identity
from gateway.people.rows import (
    BY_SUBJECT,
    CHANGE,
    ONE,
    happened,
    insert_person,
    login_key,
    read_person,
    told,
    values_of,
)
from gateway.people.session_rows import end_all
from gateway.spool.lifecycle import Kind
from gateway.spool.values import Actor
from gateway.store.people_tables import people
from gateway.store.tx import Prepared, Tx

_BIND = Prepared(people.update().where(ONE).values(subject=bindparam("b_subject")))
_PROVIDED = Prepared(select(people.c.provided).where(ONE))
_PROVIDE = Prepared(
    people.update().where(ONE).values(provided=bindparam("b_provided"), provided_at=bindparam("b_at"))
)
PROVIDER = Actor("provider", "openid")


def arrive(identity: Identity, now: int, stopped: Callable[[str], bool]) -> Callable[[Tx], tuple[str, str]]:
    """Return the job that gives the login that may come in, and why not where it may not."""

    def job(tx: Tx) -> tuple[str, str]:
        login, why = _whose(tx, identity)
        if why:
            return "", why
        row = read_person(tx, login)
        if row is None:
            if not identity.grants:
                return "", "no-role"
            return _added(tx, identity, now), ""
        if row.person.suspended or stopped(row.person.login):
            return "", "suspended"
        _changed(tx, row.person, identity, now)
        if not identity.grants:
            end_all(tx, login)
            return "", "no-role"
        return row.person.login, ""

    return job


def _whose(tx: Tx, identity: Identity) -> tuple[str, str]:
    """Return the login of who this is; by what the provider calls them for good, or else by a login that waits for them."""
    row = tx.row(BY_SUBJECT, {"b_subject": identity.subject})
    if row is not None:
        return str(row[0]), ""
    there = read_person(tx, identity.login)
    if there is None:
        return identity.login, ""
    waits = there.subject is None and credentials.of(tx, identity.login).password is None
    if not waits:
        return "", "taken"
    tx.run(_BIND, {"b_login": login_key(identity.login), "b_subject": identity.subject})
    return identity.login, ""


def _added(tx: Tx, identity: Identity, now: int) -> str:
    person = Person(identity.login, identity.name, identity.addresses, identity.grants)
    insert_person(tx, person, identity.subject, now)
    _provide(tx, identity, now)
    tx.event(happened(Kind.PERSON, person.login, PROVIDER, now, what="added", **told(person)))
    return person.login


def _changed(tx: Tx, before: Person, identity: Identity, now: int) -> None:
    """Set what the provider says. Its mailbox replaces the one it named before; those that an administrator added stay."""
    (provided,) = tx.row(_PROVIDED, {"b_login": login_key(before.login)})
    own = [address for address in before.addresses if address != provided]
    addresses = tuple(dict.fromkeys((*own, *identity.addresses)))
    _provide(tx, identity, now, before.login)
    after = replace(before, name=identity.name, addresses=addresses, grants=identity.grants)
    if after == before:
        return
    tx.run(CHANGE, values_of(after, now))
    was = {key: value for key, value in told(before).items() if value != told(after)[key]}
    tx.event(happened(Kind.PERSON, before.login, PROVIDER, now, what="changed", was=was, **told(after)))


def _provide(tx: Tx, identity: Identity, now: int, login: str = "") -> None:
    """Note what the provider named, and when: tokens of the API need that it was not long ago (tokens.py)."""
    named = identity.addresses[0] if identity.addresses else None
    key = login_key(login or identity.login)
    tx.run(_PROVIDE, {"b_login": key, "b_provided": named, "b_at": now})
