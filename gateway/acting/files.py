"""What a person may do about protected files and their keys: the one way in, as `Acting` is for the mail itself.

Keys and links know the sender by the names of the envelope, so who acts on their own mail acts as one of those; everybody else
in their own name. Raises UnknownMessage and NotAllowed as `Acting` does; StoreUnavailable: nothing was done.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.acting.allowed import Allowed, allowed
from gateway.clock import Clock
from gateway.people.contract import Person, Role
from gateway.people.sight import Act
from gateway.policy.protection import Way
from gateway.spool.contract import Spool
from gateway.spool.key_contract import ShownKey
from gateway.spool.second_look import is_sender
from gateway.spool.values import Actor, Change
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class ActingOnFiles:
    """The verbs. None of them reaches a copy that a rule asked for. `clock` says when they happen."""

    spool: Spool
    clock: Clock

    async def show_keys(self, person: Person, queue_id: str) -> Sequence[ShownKey]:
        """Return the keys that the sender tells, after writing that they were shown; raises NoKey."""
        found = await allowed(self.spool, person, Act.SEND, queue_id)
        return await self.spool.keys.show(queue_id, acting_as(person, found), self.clock())

    async def supply(
        self, person: Person, queue_id: str, recipients: Collection[int], way: Way, to: str
    ) -> Change:
        """Say how the key gets to recipients; `to` is a number for SMS. Raises ValueError as the spool does."""
        found = await allowed(self.spool, person, Act.SEND, queue_id)
        whom, actor = _known(found, recipients), acting_as(person, found)
        return await self.spool.keys.supply(queue_id, whom, way, to, actor, self.clock())

    async def stop_keys(self, person: Person, queue_id: str, recipients: Collection[int]) -> Change:
        """Never send the keys of these recipients."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        whom, actor = _known(found, recipients), acting_as(person, found)
        return await self.spool.keys.stop(queue_id, whom, actor, found.reason, self.clock())

    async def lock(self, person: Person, queue_id: str, recipients: Collection[int]) -> Change:
        """Close what waits behind links for these recipients; nothing is lost."""
        found = await allowed(self.spool, person, Act.STOP, queue_id)
        whom, actor = _known(found, recipients), acting_as(person, found)
        return await self.spool.shares.lock(queue_id, whom, actor, self.clock())

    async def unlock(self, person: Person, queue_id: str, recipients: Collection[int]) -> Change:
        """Open what was locked, and was not taken back."""
        found = await allowed(self.spool, person, Act.SEND, queue_id)
        whom, actor = _known(found, recipients), acting_as(person, found)
        return await self.spool.shares.unlock(queue_id, whom, actor, self.clock())

    async def extend_links(
        self, person: Person, queue_id: str, recipients: Collection[int], until: datetime
    ) -> Change:
        """Let links live longer, as far as the rule allows."""
        found = await allowed(self.spool, person, Act.SEND, queue_id)
        whom, actor = _known(found, recipients), acting_as(person, found)
        return await self.spool.shares.extend(queue_id, whom, until, actor, self.clock())


def acting_as(person: Person, found: Allowed) -> Actor:
    """Return as whom this person acts on keys and links, which know the sender by the envelope's names."""
    if found.role is not Role.SENDER or not found.own:
        return found.actor
    envelope = found.message.envelope
    named = [each for each in (*person.addresses, person.login) if is_sender(each, envelope)]
    return Actor(Role.SENDER.value, named[0] if named else person.login)


def _known(found: Allowed, recipients: Collection[int]) -> list[int]:
    """Return those of these recipients that the sender knows of, whoever asks."""
    theirs = {row.index for row in found.message.as_handed_in.recipients}
    return sorted(theirs.intersection(recipients))
