"""People and tokens in memory, for tests of the API's own manners."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from gateway.people.contract import (
    ApiToken,
    Bearer,
    Grant,
    Person,
    PersonRefused,
    Role,
    Session,
    TokenScope,
    UnknownPerson,
)
from gateway.spool.values import Actor

_NUMBERS = count()  # no two tokens of one run have the same: tests share a store


@dataclass
class KnownTokens:
    """Implements `Tokens` as far as the API asks: a token is its text."""

    bearers: dict[str, Bearer] = field(default_factory=dict)

    async def make(
        self,
        login: str,
        name: str,
        scopes: Collection[TokenScope],
        expires_at: datetime,
        by: Actor,
        now: datetime,
    ) -> tuple[ApiToken, str]:
        raise AssertionError("the API makes no tokens")

    async def of(self, login: str) -> Sequence[ApiToken]:
        return []

    async def revoke(self, login: str, number: str, by: Actor, now: datetime) -> bool:
        return False

    async def authenticate(self, token: str, now: datetime) -> Bearer | None:
        return self.bearers.get(token)


@dataclass
class KnownPeople:
    """Implements `People`."""

    people: dict[str, Person] = field(default_factory=dict)
    tokens: KnownTokens = field(default_factory=KnownTokens)
    acts: list[tuple[str, str, str]] = field(default_factory=list)

    def token(self, login: str, *scopes: TokenScope, grants: tuple[Grant, ...] = (Grant(Role.ADMIN),)) -> str:
        """Make a person with a token of these scopes; return its text."""
        person = Person(login, login.partition("@")[0], (login,), grants)
        self.people[login] = person
        text = f"sek_{login}"
        self.tokens.bearers[text] = Bearer(person, frozenset(scopes), f"n-{next(_NUMBERS)}")
        return text

    async def session(self, cookie: str, now: datetime) -> Session | None:
        return None

    async def silenced(self, address: str) -> bool:
        return False

    async def get(self, login: str) -> Person:
        if login not in self.people:
            raise UnknownPerson
        return self.people[login]

    async def find(self, words: str, limit: int, after: str = "") -> Sequence[Person]:
        found = [each for login, each in sorted(self.people.items()) if words in login and login > after]
        return found[:limit]

    async def add(self, person: Person, by: Actor, now: datetime) -> None:
        if person.login in self.people:
            raise PersonRefused("exists")
        self.people[person.login] = person
        self.acts.append(("add", person.login, by.name))

    async def change(self, person: Person, by: Actor, now: datetime) -> None:
        await self.get(person.login)
        self.people[person.login] = person
        self.acts.append(("change", person.login, by.name))

    async def suspend(self, login: str, by: Actor, now: datetime) -> None:
        self.people[login] = replace(await self.get(login), suspended=True)
        self.acts.append(("suspend", login, by.name))

    async def resume(self, login: str, by: Actor, now: datetime) -> None:
        self.people[login] = replace(await self.get(login), suspended=False)
        self.acts.append(("resume", login, by.name))

    async def remove(self, login: str, by: Actor, now: datetime) -> None:
        await self.get(login)
        del self.people[login]
        self.acts.append(("remove", login, by.name))

    async def sign_out(self, cookie: str, now: datetime) -> None:
        return None

    async def sign_out_everywhere(self, login: str, by: Actor, now: datetime) -> int:
        return 0
