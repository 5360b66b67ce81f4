"""The page on which a mail is reported as misdirected, for somebody with an account and for whoever holds the link.

GET shows what is known and what the press will do; only the POST does it, once (gateway/incidents/opening.py). Both ways meet
here, so that they cannot differ: who reports is all that they bring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.acting.allowed import COLLEAGUE
from gateway.acting.on_incidents import Reported
from gateway.console import view
from gateway.console.desk import Desk
from gateway.console.forms import Fields
from gateway.console.incidents import report_form
from gateway.console.incidents.report_form import Form
from gateway.console.prospects import fates
from gateway.console.taken_view import Listed, listed
from gateway.incidents import wording
from gateway.incidents.contract import TEXT, Account
from gateway.incidents.door import Incidents
from gateway.incidents.suggesting import Suggestion, suggest
from gateway.languages import Words, shown
from gateway.message.address import AddressError, parse_path
from gateway.policy.colleagues import colleagues_of
from gateway.spool.values import Actor, Stored
from gateway.values import dataclass

log = structlog.get_logger()


Press = Callable[[Account], Awaitable[bool]]
"""Opens the incident, as whoever reports; tells whether it is new."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """What both pages do; `ring` is called when letters wait."""

    desk: Desk
    incidents: Incidents
    ring: Callable[[], None]

    async def values(self, what: Reported, words: Words, form: Form | None = None) -> dict[str, object]:
        """Return what the template of the form takes."""
        message, now = what.message, self.desk.clock()
        if form is None:
            form = report_form.fresh(what.named, await self._suggested(message), words, now)
        spool = self.desk.spool
        shares, keys = await spool.shares.of(message.queue_id), await spool.keys.statuses(message.queue_id)
        return {
            "f": form,
            "longest": TEXT,
            "subject": view.subject_of(message, words),
            "sender": shown(str(message.envelope.sender or "<>"), view.ADDRESS),
            "sent": wording.moment(message.received_at, words),
            "queue_id": message.queue_id,
            "lists": prospects(listed(fates(message.as_handed_in, shares, keys), words)),
            "told": [
                shown(each, view.ADDRESS)
                for each in sorted(self.incidents.told(message, what.whose, what.actor))
            ],
        }

    async def open(self, what: Reported, fields: Fields, words: Words, press: Press) -> Form | None:
        """Open the incident that a form tells of; return the form again where something is wrong with it."""
        message, now = what.message, self.desk.clock()
        found = report_form.read(fields, what.named, words, now)
        if found.account is None:
            return report_form.again(what.named, found, words, now)
        new = await press(found.account)
        log.info("incident-opened", queue_id=message.queue_id, new=new, what=found.account.what.value)
        if new:
            self.ring()
        return None

    async def _suggested(self, message: Stored) -> Suggestion:
        facts = await self.desk.spool.lists.facts(message.queue_id)
        return await asyncio.to_thread(suggest, message, facts)


def prospects(lists: tuple[Listed, ...]) -> tuple[tuple[str, bool, int], ...]:
    """Return what taking back would do, in numbers: the addresses stand beside the boxes already."""
    return tuple([(each.title, each.good, len(each.people) + each.more) for each in lists])


def actor_by_link(message: Stored, person: str) -> Actor:
    """Return as whom somebody with a link acts: the sender of the mail, a colleague who got it, or who got a report."""
    sender = message.envelope.sender
    try:
        key = parse_path(person).key
    except AddressError:
        return Actor("ordering-body", person)
    if sender is not None and key == sender.key:
        return Actor("sender", person)
    colleagues = colleagues_of(message.decision, message.envelope)
    got_it = any(message.envelope.recipients[index].key == key for index in colleagues)
    return Actor(COLLEAGUE if got_it else "ordering-body", person)
