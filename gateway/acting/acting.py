"""What a person may do to mail, one verb for each: the one way in for the console and the API.

Each verb asks `people.sight`, calls the spool's verb as the person that it is, and returns what became of it, without what
they must not hear of. UnknownMessage is also the answer of a mail that they may not see; NotAllowed, that they may see it and
not do this. StoreUnavailable leaves as it is: nothing was done then.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from gateway.acting.allowed import Allowed, ReasonMissing, acts_on, allowed
from gateway.clock import Clock
from gateway.counting import count_cancelled, count_stopped, count_waived
from gateway.message.facts import Facts
from gateway.people.contract import Person, Role
from gateway.people.sight import Act, may, scope_of
from gateway.spool.contract import Spool
from gateway.spool.lifecycle import Reason
from gateway.spool.list_contract import HeldPage, HeldQuestion, Whose
from gateway.spool.second_look import COMMENT, Said
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Actor, Change, Consented, Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A mail as this person may see it, and what they may do with it.

    `facts` are what the decision was made from, None where nobody recorded them; without those of copies for who must not
    hear of copies.
    """

    message: Stored
    whose: Whose
    acts: frozenset[Act]
    facts: Facts | None
    own: bool


@dataclass(frozen=True, slots=True)
class Acting:
    """The verbs. `clock` says when they happen."""

    spool: Spool
    clock: Clock

    async def held(self, person: Person, question: HeldQuestion) -> HeldPage:
        """Return a page of the held mails that this person may see; `question.scope` is replaced by that."""
        return await self.spool.lists.held(replace(question, scope=scope_of(person, Act.SEE)))

    async def see(self, person: Person, queue_id: str) -> Seen:
        """Return a mail without its text."""
        found = await allowed(self.spool, person, Act.SEE, queue_id)
        facts = await self.spool.lists.facts(queue_id)
        return Seen(found.message, found.whose, acts_on(person, found.whose), facts, found.own)

    async def read(self, person: Person, queue_id: str, because: str = "") -> bytes:
        """Return the original octets. Who is neither sender nor approver gives a reason, which is on disk before they see it.

        Raises ReasonMissing, BodyUnreadable.
        """
        whose = await self.spool.lists.whose(queue_id)
        if may(person, Act.READ, whose):
            return await self.spool.raw(queue_id)
        found = await allowed(self.spool, person, Act.READ_FOR_REASON, queue_id)
        because = because.strip()[:COMMENT]
        if not because:
            raise ReasonMissing(queue_id)
        await self.spool.body_opened(queue_id, found.actor, found.reason, because, self.clock())
        return await self.spool.raw(queue_id)

    async def cancel(
        self, person: Person, queue_id: str, recipients: Collection[int] | None = None
    ) -> Change:
        """Cancel these recipients (None: all), for good."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        change = await self.spool.cancel(queue_id, recipients, found.actor, found.reason, self.clock())
        shown = _shown(found, change)
        count_cancelled(found.reason, found.message, shown.done)
        return shown

    async def release(
        self, person: Person, queue_id: str, recipients: Collection[int] | None = None, because: str = ""
    ) -> Change:
        """Let these recipients (None: all) go now; what is firm stays, and who waits for people."""
        found = await allowed(self.spool, person, Act.SEND, queue_id)
        now = self.clock()
        change = await self.spool.release(queue_id, recipients, found.actor, found.reason, now, because)
        shown = _shown(found, change)
        count_waived(found.message, shown.done)
        return shown

    async def confirm(
        self, person: Person, queue_id: str, recipients: Collection[int], attachments: bool
    ) -> Change:
        """Tick these recipients, and with `attachments` all files."""
        found = await allowed(self.spool, person, Act.SEND, queue_id)
        change = await self.spool.consents.confirm(
            queue_id, recipients, attachments, found.actor, self.clock()
        )
        return _shown(found, change)

    async def approve(self, person: Person, queue_id: str, comment: str = "") -> Consented:
        """Count this person's consent, once, whatever addresses they have; never to a mail of their own."""
        return await self._decide(person, queue_id, comment, agrees=True)

    async def reject(self, person: Person, queue_id: str, comment: str = "") -> Consented:
        """Cancel what waits for this person's consent; the comment tells the sender why. Raises ReasonMissing without one."""
        if not comment.strip():
            raise ReasonMissing(queue_id)
        return await self._decide(person, queue_id, comment, agrees=False)

    async def take_back(
        self, person: Person, queue_id: str, recipients: Collection[int] | None = None
    ) -> TakenBack:
        """Stop what can be stopped of a mail that left, and say the truth about the rest."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        taken = await self.spool.shares.take_back(queue_id, recipients, found.actor, self.clock())
        count_stopped(found.reason, found.message, taken.stopped)
        return taken

    async def freeze(self, person: Person, queue_id: str, because: str = "") -> Change:
        """Stop the timer of a whole mail."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        return _shown(found, await self.spool.halts.freeze(queue_id, found.actor, because, self.clock()))

    async def thaw(self, person: Person, queue_id: str) -> Change:
        """Let the timer run on; what an administrator froze only an administrator thaws."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        return _shown(found, await self.spool.halts.thaw(queue_id, found.actor, self.clock()))

    async def extend(self, person: Person, queue_id: str, until: datetime) -> Change:
        """Let it wait until then, and no shorter than it does; `done` are those who wait longer now."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        return _shown(found, await self.spool.halts.extend(queue_id, until, found.actor, self.clock()))

    async def correct(self, person: Person, queue_id: str, recipient: int, meant: str) -> Change:
        """Cancel one recipient and tell the sender to whom to send again; raises ValueError where that is no address."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        if all(row.index != recipient for row in found.message.recipients):
            return Change((), ())
        change = await self.spool.halts.correct(queue_id, recipient, meant, found.actor, self.clock())
        count_cancelled(found.reason, found.message, change.done)
        return _shown(found, change)

    async def _decide(self, person: Person, queue_id: str, comment: str, *, agrees: bool) -> Consented:
        found = await allowed(self.spool, person, Act.APPROVE, queue_id)
        if found.own:
            return Consented(Said.OWN_MAIL, Change((), ()), 0)
        key = _speaks_as(person, found, self.clock(), agrees=agrees)
        if key is None:
            return Consented(Said.AGAIN, Change((), ()), 0)
        verb = self.spool.consents.approve if agrees else self.spool.consents.reject
        actor = Actor(Role.APPROVER.value, key)
        answer = await verb(queue_id, None, key, actor, comment, self.clock())
        shown = _shown(found, answer.change)
        if not agrees:
            count_cancelled(Reason.REJECTED, found.message, shown.done)
        return replace(answer, change=shown)


def _speaks_as(person: Person, found: Allowed, now: datetime, *, agrees: bool) -> str | None:
    """Return the address by which this person decides; None where another address of theirs has agreed to everything.

    Two mailboxes of one person are one voice.
    """
    theirs = sorted(found.whose.asked.intersection(person.addresses))
    looks = [look for look in found.message.looks if any(look.may_decide(key, now) for key in theirs)]
    for key in theirs:
        mine = [look for look in looks if look.may_decide(key, now)]
        new = [look for look in mine if not any(is_theirs(c.person, person) for c in look.consents)]
        if new or (mine and not agrees):
            return key
    return None if looks and agrees else theirs[0]


def is_theirs(key: str, person: Person) -> bool:
    """Tell whether an address is one of this person's mailboxes."""
    return key in person.addresses


def _shown(found: Allowed, change: Change) -> Change:
    """Return the change without the copies that this person does not hear of."""
    known = {row.index for row in found.message.recipients}
    return Change(
        tuple([index for index in change.done if index in known]),
        tuple([each for each in change.not_done if each[0] in known]),
        tuple([index for index in change.perhaps if index in known]),
    )
