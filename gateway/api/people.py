"""/people and /me: who may sign in, for administrators' programs that follow a directory, and who a token stands for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from gateway.api.caller import Caller, Given, bearer_of, calling
from gateway.api.doors import Doors, doors_of
from gateway.api.idempotent import Verb
from gateway.api.problems import Refused
from gateway.api.shapes import After, Limit, Page, Said, problems
from gateway.people.contract import (
    Grant,
    Person,
    Role,
    TokenScope,
)
from gateway.policy.demands import Language
from gateway.spool.values import Actor

MAX_GRANTS, MAX_ADDRESSES = 50, 50

reading = APIRouter(tags=["people"])
writing = APIRouter(tags=["people"], route_class=Verb)

Reads = Annotated[Caller, calling(TokenScope.PEOPLE_READ)]
Writes = Annotated[Caller, calling(TokenScope.PEOPLE_WRITE)]
Login = Annotated[str, Path(min_length=1, max_length=256)]


class GrantShape(Said):
    """A role for one group of the policy; an empty group stands for the whole organisation."""

    role: Role
    group: Annotated[str, Field(max_length=64)] = ""


class PersonShape(Said):
    """A person. `addresses` are the mailboxes that are theirs."""

    login: Annotated[str, Field(min_length=1, max_length=256)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    addresses: Annotated[list[str], Field(max_length=MAX_ADDRESSES, default_factory=list)]
    roles: Annotated[list[GrantShape], Field(max_length=MAX_GRANTS, default_factory=list)]
    language: Language | None = None


class PersonTold(PersonShape):
    suspended: bool


class Me(BaseModel):
    """Whom the token stands for, and for what."""

    person: PersonTold
    scopes: list[TokenScope]


@reading.get("/me", responses=problems())
async def me(request: Request, given: Given) -> Me:
    """Tell whom this token stands for, and what it may be used for."""
    bearer = await bearer_of(request, given)
    return Me(person=_told(bearer.person), scopes=sorted(bearer.scopes))


@reading.get("/people", responses=problems())
async def people(
    request: Request,
    caller: Reads,
    words: Annotated[str, Query(max_length=100)] = "",
    limit: Limit = 50,
    after: After = "",
) -> Page[PersonTold]:
    """List people whose login or name holds the words."""
    found = await _doors(request, caller).people.find(words, limit + 1, after)
    more = found[limit - 1].login.casefold() if len(found) > limit else None
    return Page(items=[_told(person) for person in found[:limit]], next=more)


@reading.get("/people/{login}", responses=problems(404))
async def person(request: Request, caller: Reads, login: Login) -> PersonTold:
    """Return one person."""
    return await _one(_doors(request, caller), login)


@writing.post("/people", status_code=201, responses=problems(409))
async def add(request: Request, caller: Writes, said: PersonShape) -> PersonTold:
    """Add a person, without a password: they sign in through OpenID Connect, or get one from an administrator."""
    doors = _doors(request, caller)
    await doors.people.add(_person(said), _actor(caller), doors.clock())
    return await _one(doors, said.login)


@writing.put("/people/{login}", responses=problems(404, 409))
async def change(request: Request, caller: Writes, login: Login, said: PersonShape) -> PersonTold:
    """Set name, addresses, roles and language; the login stays."""
    doors = _doors(request, caller)
    if said.login.casefold() != login.casefold():
        raise Refused(422, "invalid", "the login in the address and in the body differ")
    await doors.people.change(_person(said), _actor(caller), doors.clock())
    return await _one(doors, login)


@writing.post("/people/{login}/suspend", responses=problems(404, 409))
async def suspend(request: Request, caller: Writes, login: Login) -> PersonTold:
    """End everything that this person does here, and mail from the account of the same login, at once."""
    doors = _doors(request, caller)
    await doors.people.suspend(login, _actor(caller), doors.clock())
    return await _one(doors, login)


@writing.post("/people/{login}/resume", responses=problems(404))
async def resume(request: Request, caller: Writes, login: Login) -> PersonTold:
    """Let a person sign in again."""
    doors = _doors(request, caller)
    await doors.people.resume(login, _actor(caller), doors.clock())
    return await _one(doors, login)


@writing.delete("/people/{login}", status_code=204, responses=problems(404, 409))
async def remove(request: Request, caller: Writes, login: Login) -> None:
    """Forget a person; the log keeps what they did."""
    doors = _doors(request, caller)
    await doors.people.remove(login, _actor(caller), doors.clock())


def _doors(request: Request, caller: Caller) -> Doors:
    """Return the doors to somebody who administers people: only who has that role for the whole organisation."""
    if "" not in caller.person.groups_as(Role.ADMIN):
        raise Refused(403, "role", "only an administrator of the whole organisation may do this")
    return doors_of(request)


async def _one(doors: Doors, login: str) -> PersonTold:
    return _told(await doors.people.get(login))


def _actor(caller: Caller) -> Actor:
    return Actor("admin", caller.person.login)


def _person(said: PersonShape) -> Person:
    grants = tuple(sorted({Grant(each.role, each.group) for each in said.roles}))
    return Person(said.login, said.name, tuple(said.addresses), grants, said.language)


def _told(person: Person) -> PersonTold:
    return PersonTold(
        login=person.login,
        name=person.name,
        addresses=list(person.addresses),
        roles=[GrantShape(role=grant.role, group=grant.group) for grant in person.grants],
        language=person.language,
        suspended=person.suspended,
    )
