"""What the verbs of `sekisho person` share: the people of a place, typed passwords, one line for what is refused."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from gateway.cli.place import find_place
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.config.load import load_settings
from gateway.config.sign_in_settings import SignIn
from gateway.people.contract import Grant, Person, PersonRefused, UnknownPerson
from gateway.people.grants import grant_of, written
from gateway.people.passwords import MAX_PASSWORD, Hashing
from gateway.people.sql import SqlPeople
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor

T = TypeVar("T")

_REFUSED = {
    "exists": "this login is there already",
    "login": "a login has 1 to 256 printable characters and no space around it",
    "name": "a name has 1 to 100 printable characters",
    "address": "not an address, or one that can be read in two ways, or more than 50",
    "grant": "there has to be a role (or scope), and no more than 100; suspend who may do nothing",
    "last-admin": "this is the only administrator of the whole organisation who can sign in",
    "short": "the password is too short (sign_in.password_minimum)",
    "long": "the password is too long",
    "common": "the password is one that is tried first: a common word, a row of keys, or the person's own name",
    "used": "this password was used before (sign_in.password_history)",
    "expires": "a token is good for 1 to 366 days",
    "many": "this person has 50 tokens already; revoke one",
}


def on_people(state: Path | None, config: Path | None, work: Callable[[SqlPeople], Awaitable[T]]) -> T:
    """Do `work` on the people of a place; ends the command with one line where something is refused."""
    place = find_place(state, config)
    settings = load_settings(config).sign_in if config is not None else SignIn()

    async def run(spool: SqlSpool) -> T:
        hashing = Hashing()
        try:
            return await work(SqlPeople(spool.database, hashing, settings))
        finally:
            hashing.close()

    try:
        return with_spool(place, run)
    except PersonRefused as refused:
        raise click.ClickException(_REFUSED.get(refused.why, refused.why)) from None
    except UnknownPerson as unknown:
        raise click.ClickException(printable(f"no person {unknown}")) from None


def me() -> Actor:
    """Return who types this."""
    return Actor("admin", who())


def grants_of(roles: tuple[str, ...]) -> tuple[Grant, ...]:
    """Read roles as they are typed; ends the command where one is none."""
    try:
        return tuple(grant_of(role) for role in roles)
    except ValueError as error:
        raise click.UsageError(printable(str(error))) from None


def asked_password(from_stdin: bool) -> str:
    """Return a password that somebody types or pipes in."""
    if from_stdin:
        return sys.stdin.readline(MAX_PASSWORD + 2).rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def as_value(person: Person) -> dict[str, object]:
    """Return a person as JSON says it."""
    return {
        "login": person.login,
        "name": person.name,
        "addresses": list(person.addresses),
        "roles": [written(grant) for grant in person.grants],
        "language": person.language.value if person.language else None,
        "suspended": person.suspended,
    }


def as_line(person: Person) -> str:
    """Return a person as one line."""
    state = "suspended" if person.suspended else "active"
    roles = " ".join(written(grant) for grant in person.grants)
    columns = (person.login, state, roles, " ".join(person.addresses), person.name)
    return "\t".join(map(printable, columns))
