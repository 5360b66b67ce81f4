"""What a person may do about mail that went to the wrong people: the one way in for the console and the API.

Who may report a mail sees its incident, notes, and asks wrong recipients; who handles it corrects what was told, marks reports
as handed in, closes and reopens. UnknownIncident (UnknownMessage before there is one) is for what is not theirs to know of,
NotAllowed for what they see and may not do, IncidentRefused, StoreUnavailable.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.acting.allowed import COLLEAGUE, NotAllowed, allowed, is_own, role_for
from gateway.clock import Clock
from gateway.incidents.contract import (
    Account,
    Asking,
    Incident,
    IncidentPage,
    Report,
    UnknownIncident,
)
from gateway.incidents.door import Incidents
from gateway.people.contract import Person, Role
from gateway.people.sight import Act, may, scope_of
from gateway.spool.contract import Spool, UnknownMessage
from gateway.spool.list_contract import Whose
from gateway.spool.values import Actor, Stored
from gateway.values import dataclass

LONGEST_AGO = timedelta(days=366)  # of what became known: nobody reports older mail from here
A_MOMENT = timedelta(minutes=5)  # by which the clock of who reports may be ahead of ours


@dataclass(frozen=True, slots=True)
class Reported:
    """A mail that somebody may report, and as what they do; `hidden` are recipients whom they do not hear of by name."""

    message: Stored
    whose: Whose
    actor: Actor
    hidden: frozenset[int] = frozenset()

    @property
    def named(self) -> Stored:
        """Return the mail with those recipients alone whom the one who reports may see by name."""
        rows = [row for row in self.message.recipients if row.index not in self.hidden]
        return replace(self.message, recipients=tuple(rows)) if self.hidden else self.message


@dataclass(frozen=True, slots=True)
class ActingOnIncidents:
    """The verbs. `clock` says when they happen."""

    spool: Spool
    incidents: Incidents
    clock: Clock

    async def page(self, person: Person, after: str = "", *, only_open: bool = False) -> IncidentPage:
        """Return a page of the incidents that this person may see; raises ValueError for a foreign `after`."""
        return await self.incidents.page(scope_of(person, Act.REPORT), after, only_open=only_open)

    async def get(self, person: Person, queue_id: str, act: Act = Act.REPORT) -> Incident:
        """Return an incident with everything, to somebody who may do this with it."""
        incident = await self.incidents.get(queue_id)
        if not may(person, Act.REPORT, incident.whose):
            raise UnknownIncident(queue_id)  # as one that is not there
        if not may(person, act, incident.whose):
            raise NotAllowed(act)
        return incident

    async def reported(self, person: Person, queue_id: str) -> Reported:
        """Return a mail that this person may report; raises UnknownMessage also for mail that Sekisho wrote itself."""
        found = await allowed(self.spool, person, Act.REPORT, queue_id)
        message = await reportable(self.spool, queue_id)
        return Reported(message, found.whose, actor_of(person, found.whose, message))

    async def open(self, person: Person, queue_id: str, account: Account) -> bool:
        """Report a mail: what can be stopped is stopped, who has to know is told. Tell whether it is new.

        Raises ValueError where the account names a recipient that the mail does not have, or a time that cannot be.
        """
        what, now = await self.reported(person, queue_id), self.clock()
        _check(account, what.message)
        _check_time(account.known_at, now)
        return await self.incidents.open(what.message, what.whose, account, what.actor, now)

    async def note(self, person: Person, queue_id: str, text: str) -> None:
        """Add a note."""
        await self.incidents.note(queue_id, text, await self._as(person, queue_id), self.clock())

    async def ask(self, person: Person, queue_id: str, asking: Asking) -> tuple[int, ...]:
        """Ask wrong recipients to delete the mail, each in a letter of their own; return whom."""
        actor = await self._as(person, queue_id)
        return await self.incidents.ask(queue_id, asking, actor, self.clock())

    async def remind(self, person: Person, queue_id: str, recipients: Collection[int]) -> tuple[int, ...]:
        """Ask once more; return whom."""
        actor = await self._as(person, queue_id)
        return await self.incidents.remind(queue_id, recipients, actor, self.clock())

    async def amend(self, person: Person, queue_id: str, account: Account) -> None:
        """Correct what was told; the clocks run anew from it. Raises ValueError as `open` does."""
        incident, message = await self.get(person, queue_id, Act.HANDLE), await self._mail(queue_id)
        now = self.clock()
        _check(account, message)
        if account.known_at != incident.account.known_at:
            _check_time(account.known_at, now)
        await self.incidents.amend(queue_id, account, actor_of(person, incident.whose, message), now)

    async def handed_in(self, person: Person, queue_id: str, report: Report) -> None:
        """Note that a report was handed in."""
        actor = await self._as(person, queue_id, Act.HANDLE)
        await self.incidents.handed_in(queue_id, report, actor, self.clock())

    async def close(self, person: Person, queue_id: str, why: str) -> None:
        """Close it; nobody is reminded any more."""
        actor = await self._as(person, queue_id, Act.HANDLE)
        await self.incidents.close(queue_id, why, actor, self.clock())

    async def reopen(self, person: Person, queue_id: str, why: str) -> None:
        """Open it again."""
        actor = await self._as(person, queue_id, Act.HANDLE)
        await self.incidents.reopen(queue_id, why, actor, self.clock())

    async def _as(self, person: Person, queue_id: str, act: Act = Act.REPORT) -> Actor:
        """Return as what this person acts, if they may."""
        incident = await self.get(person, queue_id, act)
        return actor_of(person, incident.whose, await self._mail(queue_id))

    async def _mail(self, queue_id: str) -> Stored | None:
        try:
            return await self.spool.get(queue_id)
        except UnknownMessage:
            return None  # its records are gone, its incident is not


async def reportable(spool: Spool, queue_id: str) -> Stored:
    """Return a mail that somebody can report; raises UnknownMessage, also for mail that Sekisho wrote itself."""
    message = await spool.get(queue_id)
    if message.from_gateway or message.unreadable:
        raise UnknownMessage(queue_id)
    return message


def _check(account: Account, message: Stored | None) -> None:
    """Raise ValueError where it names somebody whom the mail was not handed in for."""
    if message is None or message.unreadable:
        return
    if not {row.index for row in message.as_handed_in.recipients}.issuperset(account.wrong):
        raise ValueError("`wrong` names a recipient that the mail does not have")


def _check_time(known_at: datetime, now: datetime) -> None:
    """Raise ValueError for a time from which no clock of the law can run."""
    if not now - LONGEST_AGO <= known_at <= now + A_MOMENT:
        raise ValueError("`known_at` lies in the future, or more than a year ago")


def actor_of(person: Person, whose: Whose, message: Stored | None) -> Actor:
    """Return as what a person acts on an incident: the least of their roles that lets them, as everywhere."""
    role = role_for(person, Act.REPORT, whose) or Role.SENDER
    own = is_own(person, whose, message) if message else bool(whose.senders.intersection(person.addresses))
    return Actor(COLLEAGUE if role is Role.SENDER and not own else role.value, person.login)
