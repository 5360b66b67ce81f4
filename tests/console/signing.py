"""People who are signed in, for tests of pages: a session for a cookie, without a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.people.contract import Grant, Person, Role, Session

AT = datetime(2026, 5, 11, 9, 0, tzinfo=UTC)


@dataclass
class KnownSessions:
    """Implements `Sessions`: whoever is in `people` is signed in with their login as the cookie."""

    people: dict[str, Person] = field(default_factory=dict)

    def add(self, login: str, *grants: Grant, addresses: tuple[str, ...] = ()) -> Person:
        person = Person(login, login.partition("@")[0], addresses or (login,), grants)
        self.people[login] = person
        return person

    async def session(self, cookie: str, now: datetime) -> Session | None:
        person = self.people.get(cookie)
        if person is None or person.suspended:
            return None
        return Session(person, f"key of {cookie}", now, now + timedelta(hours=8))

    async def silenced(self, address: str) -> bool:
        found = [person for person in self.people.values() if address in person.addresses]
        return bool(found) and all(person.suspended for person in found)


def one_of_each() -> KnownSessions:
    """Return a session for each role: `sender@example.jp` to `ordering-body@example.jp`."""
    sessions = KnownSessions()
    for role in Role:
        sessions.add(f"{role.value}@example.jp", Grant(role))
    return sessions
