"""The only door to incidents: every verb is one job of the committer, with its event; every read one snapshot.

Who may do what is asked before (gateway/people/sight.py); what people wrote is opened with the master key here.
Raises UnknownIncident, IncidentRefused, UnknownMessage, StoreUnavailable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.audit.log import EventLog
from gateway.audit.timeline import Timeline, timeline
from gateway.counting import count_stopped
from gateway.incidents import ageing, asking, handling, listing
from gateway.incidents.clocks import Verdict, next_reminder, verdict
from gateway.incidents.contract import (
    Account,
    Answer,
    Asking,
    Incident,
    IncidentPage,
    Organisation,
    Report,
    Request,
    UnknownIncident,
)
from gateway.incidents.handling import Doing
from gateway.incidents.opening import Opening, open_incident, reason_of
from gateway.incidents.rows import incident_of
from gateway.languages import Words
from gateway.message.address import AddressError, parse_path
from gateway.spool.list_contract import Scope, Whose
from gateway.spool.times import span_us, to_us
from gateway.spool.values import Actor, Stored
from gateway.store.database import Database
from gateway.values import dataclass

Ordering = Callable[[Collection[str]], Collection[str]]
"""Gives the addresses of those who get the reports of these groups: their ordering bodies."""

JAPAN = ZoneInfo("Asia/Tokyo")
BATCH = 100  # incidents, or reminders, in one transaction


@dataclass(frozen=True, slots=True)
class Duty:
    """What the settings say: whom to tell, which law, how long before its end a clock is told of."""

    officers: tuple[str, ...] = ()
    organisation: Organisation = Organisation.LOCAL_GOVERNMENT
    leads: tuple[timedelta, ...] = (timedelta(days=7), timedelta(days=2), timedelta(days=1))
    zone: ZoneInfo = JAPAN

    def verdict(self, account: Account, organisation: Organisation | None = None) -> Verdict:
        """Return which reports are due for what somebody told."""
        return verdict(account, organisation or self.organisation, self.zone)

    def next_reminder(
        self, account: Account, done: Collection[Report], organisation: Organisation, after: datetime
    ) -> int | None:
        """Return when to write about the clocks next."""
        found = self.verdict(account, organisation)
        moment = next_reminder(found, done, self.leads, after, self.zone)
        return None if moment is None else to_us(moment)


class Incidents:
    """Implements all verbs on a database."""

    def __init__(self, database: Database, duty: Duty, ordering: Ordering = lambda groups: ()) -> None:
        self._db = database
        self.duty = duty
        self._ordering = ordering

    async def open(
        self, message: Stored, whose: Whose, account: Account, actor: Actor, now: datetime
    ) -> bool:
        """Open an incident: take the mail back from whom it names (from all where it names nobody), and have people told.

        Return whether it is new; a second press changes nothing.
        """
        organisation = self.duty.organisation
        opening = Opening(
            queue_id=message.queue_id,
            account=account,
            actor=actor,
            whose=whose,
            organisation=organisation,
            told=self.told(message, whose, actor),
            take_back=account.wrong or None,
            remind_at=self.duty.next_reminder(account, (), organisation, now),
            now=to_us(now),
        )
        taken = await self._db.committer.run(open_incident(opening, self._db.master))
        if taken is not None:
            count_stopped(reason_of(actor), message, taken.stopped)
        return taken is not None

    def told(self, message: Stored, whose: Whose, actor: Actor) -> frozenset[str]:
        """Return who gets a letter: ordering bodies, privacy officers, and the sender where somebody else presses."""
        told = {*self._ordering(whose.groups), *message.decision.report_to, *self.duty.officers}
        sender = message.envelope.sender
        if sender is not None and not message.from_gateway and _key(actor.name) != sender.key:
            told.add(str(sender))
        return frozenset(told)

    async def get(self, queue_id: str) -> Incident:
        """Return one incident with everything."""
        found = await self.find(queue_id)
        if found is None:
            raise UnknownIncident(queue_id)
        return found

    async def find(self, queue_id: str) -> Incident | None:
        """Return the incident of a mail; None where it has none."""
        return await self._db.readers.run(lambda queries: incident_of(queries, queue_id, self._db.master))

    def read(self, queue_id: str) -> Incident | None:
        """Return the same on the calling thread, for those who write letters."""
        return self._db.readers.read(lambda queries: incident_of(queries, queue_id, self._db.master))

    async def timeline(
        self, queue_id: str, words: Words, known: Collection[int] | None = None
    ) -> Timeline | None:
        """Return what the event log tells of a mail, in words; of these recipients (None: of all)."""
        log = EventLog.over(self._db.readers)
        return await asyncio.to_thread(lambda: timeline(log, queue_id, words, known))

    async def page(self, scope: Scope, after: str = "", *, only_open: bool = False) -> IncidentPage:
        """Return a page of incidents, newest first; raises ValueError for an `after` that is none of ours."""
        return await self._db.readers.run(listing.page(scope, after, only_open=only_open))

    async def amend(self, queue_id: str, account: Account, actor: Actor, now: datetime) -> None:
        """Correct what was told; the clocks run anew from it."""
        doing = self._doing(queue_id, actor, now)
        remind = await self._reminder(queue_id, now)
        await self._db.committer.run(handling.amend(doing, account, remind))

    async def handed_in(self, queue_id: str, report: Report, actor: Actor, now: datetime) -> None:
        """Note that a report was handed in."""
        job = handling.report_handed_in(
            self._doing(queue_id, actor, now), report, await self._reminder(queue_id, now)
        )
        await self._db.committer.run(job)

    async def note(self, queue_id: str, text: str, actor: Actor, now: datetime) -> None:
        """Add a note."""
        await self._db.committer.run(handling.note(self._doing(queue_id, actor, now), text))

    async def close(self, queue_id: str, why: str, actor: Actor, now: datetime) -> None:
        """Close it; nobody is reminded any more."""
        await self._db.committer.run(handling.close(self._doing(queue_id, actor, now), why))

    async def reopen(self, queue_id: str, why: str, actor: Actor, now: datetime) -> None:
        """Open it again."""
        remind = await self._reminder(queue_id, now)
        await self._db.committer.run(handling.reopen(self._doing(queue_id, actor, now), why, remind))

    async def ask(self, queue_id: str, asked: Asking, actor: Actor, now: datetime) -> tuple[int, ...]:
        """Ask wrong recipients to delete the mail, each in a letter of their own; return whom."""
        return await self._db.committer.run(asking.ask(self._doing(queue_id, actor, now), asked))

    async def remind(
        self, queue_id: str, recipients: Collection[int], actor: Actor, now: datetime
    ) -> tuple[int, ...]:
        """Ask once more; return whom."""
        return await self._db.committer.run(asking.remind(self._doing(queue_id, actor, now), recipients))

    async def request(self, queue_id: str, recipient: int) -> Request | None:
        """Return what one wrong recipient was asked and answered; None where nothing was asked."""
        return await self._db.readers.run(asking.read(queue_id, recipient, self._db.master))

    async def answer(self, queue_id: str, recipient: int, said: Answer, comment: str, now: datetime) -> bool:
        """Write down an answer; tell whether there was a request."""
        job = asking.answer(queue_id, recipient, said, comment, to_us(now), self._db.master)
        return await self._db.committer.run(job)

    async def remind_due(self, now: datetime) -> int:
        """Write what is due by the clocks and by schedule; return how many letters wait."""
        at = to_us(now)
        if not await self._db.readers.run(ageing.any_due(at)):
            return 0

        def following(account: Account, done: tuple[Report, ...], organisation: Organisation) -> int | None:
            return self.duty.next_reminder(account, done, organisation, now)

        clocks = ageing.remind_of_clocks(at, BATCH, self.duty.officers, following)
        return await self._db.committer.run(clocks) + await self._db.committer.run(
            asking.remind_due(at, BATCH)
        )

    async def purge(self, now: datetime, closed_for: timedelta) -> int:
        """Delete incidents that are closed so long; return how many."""
        at = to_us(now)
        return await self._db.committer.run(ageing.purge(at, at - span_us(closed_for), BATCH))

    def _doing(self, queue_id: str, actor: Actor, now: datetime) -> Doing:
        return Doing(queue_id, actor, to_us(now), self._db.master)

    async def _reminder(self, queue_id: str, now: datetime) -> handling.Reminder:
        organisation = (await self.get(queue_id)).organisation
        return lambda account, done: self.duty.next_reminder(account, done, organisation, now)


def _key(name: str) -> str:
    """Return the key of an address; a login that is none stands for itself."""
    try:
        return parse_path(name).key
    except AddressError:
        return name
