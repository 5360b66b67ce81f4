"""When an approver is away, said once for all of their mailboxes: the one way in for the console and the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.clock import Clock
from gateway.people.contract import Person, Role
from gateway.spool.attendance import Absence
from gateway.spool.contract import Spool
from gateway.spool.values import Actor
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Away:
    """The verbs. `clock` says when they happen."""

    spool: Spool
    clock: Clock

    async def of(self, person: Person) -> Sequence[Absence]:
        """Return this person's absences that are not over, one for each mailbox."""
        return await self.spool.absences.of(person.addresses, self.clock())

    async def say(self, person: Person, since: datetime, until: datetime, note: str) -> None:
        """Keep that this person is away; raises ValueError and TooManyAbsences as the spool does."""
        now = self.clock()
        for address in person.addresses:
            await self.spool.absences.say(Absence(address, since, until, note), _as(person), now)

    async def take_back(self, person: Person, since: datetime) -> None:
        """Forget the absence that begins then."""
        for address in person.addresses:
            await self.spool.absences.take_back(address, since, _as(person), self.clock())


def _as(person: Person) -> Actor:
    return Actor(Role.APPROVER.value, person.login)
