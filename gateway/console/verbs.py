"""What somebody does with one mail, whichever way they came to its page: by a link, or signed in (gateway/acting).

A link names its person, who sent the mail.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from gateway.acting.acting import Acting
from gateway.acting.files import ActingOnFiles
from gateway.clock import Clock
from gateway.counting import count_cancelled, count_stopped, count_waived
from gateway.people.contract import Person
from gateway.policy.protection import Way
from gateway.spool.contract import Spool
from gateway.spool.key_contract import ShownKey
from gateway.spool.lifecycle import Reason
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Actor, Change, Stored
from gateway.values import dataclass


class Verbs(Protocol):
    """What pages of a mail can have done. Whatever a verb changes of copies that nobody may hear of, it does not tell."""

    async def message(self) -> Stored:
        """Return the mail as this person may see it."""

    async def cancel(self, recipients: Collection[int] | None) -> Change:
        """Cancel these recipients (None: all)."""

    async def release(self, recipients: Collection[int] | None, because: str) -> Change:
        """Let these recipients go now."""

    async def confirm(self, recipients: Collection[int], attachments: bool) -> Change:
        """Tick these recipients, and with `attachments` all files."""

    async def take_back(self) -> TakenBack:
        """Stop what can be stopped of a mail that left."""

    async def freeze(self, because: str) -> Change:
        """Stop the timer of the mail."""

    async def thaw(self) -> Change:
        """Let its time run on."""

    async def extend(self, until: datetime) -> Change:
        """Let it wait until that time."""

    async def correct(self, recipient: int, meant: str) -> Change:
        """Cancel one recipient and tell which address was meant; raises ValueError where that is none."""

    async def show_keys(self) -> Sequence[ShownKey]:
        """Return the keys that the sender tells; raises NoKey."""

    async def supply(self, recipients: Collection[int], way: Way, to: str) -> Change:
        """Say how the key gets to recipients."""

    async def stop_keys(self, recipients: Collection[int]) -> Change:
        """Never send the keys of these recipients."""

    async def lock(self, recipients: Collection[int]) -> Change:
        """Close the links of these recipients."""

    async def unlock(self, recipients: Collection[int]) -> Change:
        """Open them again."""

    async def extend_links(self, recipients: Collection[int], until: datetime) -> Change:
        """Let them live longer."""


@dataclass(frozen=True, slots=True)
class ByLink:
    """The verbs of the sender whom a link names. Implements `Verbs`.

    The mail is read before anything is done to it: a store that fails at that has done nothing.
    """

    spool: Spool
    clock: Clock
    queue_id: str
    actor: Actor

    async def message(self) -> Stored:
        return (await self.spool.get(self.queue_id)).as_handed_in

    async def cancel(self, recipients: Collection[int] | None) -> Change:
        before = await self.spool.get(self.queue_id)
        done = await self.spool.cancel(self.queue_id, recipients, self.actor, Reason.BY_SENDER, self.clock())
        change = done.without_copies(before.decision)
        count_cancelled(Reason.BY_SENDER, before, change.done)
        return change

    async def release(self, recipients: Collection[int] | None, because: str) -> Change:
        before = await self.spool.get(self.queue_id)
        done = await self.spool.release(
            self.queue_id, recipients, self.actor, Reason.BY_SENDER, self.clock(), because
        )
        change = done.without_copies(before.decision)
        count_waived(before, change.done)
        return change

    async def confirm(self, recipients: Collection[int], attachments: bool) -> Change:
        before = await self.spool.get(self.queue_id)
        done = await self.spool.consents.confirm(
            self.queue_id, recipients, attachments, self.actor, self.clock()
        )
        return done.without_copies(before.decision)

    async def take_back(self) -> TakenBack:
        before = await self.message()
        taken = await self.spool.shares.take_back(self.queue_id, None, self.actor, self.clock())
        count_stopped(Reason.BY_SENDER, before, taken.stopped)
        return taken

    async def freeze(self, because: str) -> Change:
        before = await self.spool.get(self.queue_id)
        done = await self.spool.halts.freeze(self.queue_id, self.actor, because, self.clock())
        return done.without_copies(before.decision)

    async def thaw(self) -> Change:
        before = await self.spool.get(self.queue_id)
        done = await self.spool.halts.thaw(self.queue_id, self.actor, self.clock())
        return done.without_copies(before.decision)

    async def extend(self, until: datetime) -> Change:
        before = await self.spool.get(self.queue_id)
        done = await self.spool.halts.extend(self.queue_id, until, self.actor, self.clock())
        return done.without_copies(before.decision)

    async def correct(self, recipient: int, meant: str) -> Change:
        before = await self.message()
        if all(row.index != recipient for row in before.recipients):
            return Change((), ())
        change = await self.spool.halts.correct(self.queue_id, recipient, meant, self.actor, self.clock())
        count_cancelled(Reason.BY_SENDER, before, change.done)
        return change

    async def show_keys(self) -> Sequence[ShownKey]:
        return await self.spool.keys.show(self.queue_id, self.actor, self.clock())

    async def supply(self, recipients: Collection[int], way: Way, to: str) -> Change:
        return await self.spool.keys.supply(self.queue_id, recipients, way, to, self.actor, self.clock())

    async def stop_keys(self, recipients: Collection[int]) -> Change:
        now = self.clock()
        return await self.spool.keys.stop(self.queue_id, recipients, self.actor, Reason.BY_SENDER, now)

    async def lock(self, recipients: Collection[int]) -> Change:
        return await self.spool.shares.lock(self.queue_id, recipients, self.actor, self.clock())

    async def unlock(self, recipients: Collection[int]) -> Change:
        return await self.spool.shares.unlock(self.queue_id, recipients, self.actor, self.clock())

    async def extend_links(self, recipients: Collection[int], until: datetime) -> Change:
        return await self.spool.shares.extend(self.queue_id, recipients, until, self.actor, self.clock())


@dataclass(frozen=True, slots=True)
class BySession:
    """The verbs of somebody who is signed in. Implements `Verbs`."""

    acting: Acting
    person: Person
    queue_id: str

    async def message(self) -> Stored:
        return (await self.acting.see(self.person, self.queue_id)).message

    async def cancel(self, recipients: Collection[int] | None) -> Change:
        return await self.acting.cancel(self.person, self.queue_id, recipients)

    async def release(self, recipients: Collection[int] | None, because: str) -> Change:
        return await self.acting.release(self.person, self.queue_id, recipients, because)

    async def confirm(self, recipients: Collection[int], attachments: bool) -> Change:
        return await self.acting.confirm(self.person, self.queue_id, recipients, attachments)

    async def take_back(self) -> TakenBack:
        return await self.acting.take_back(self.person, self.queue_id)

    async def freeze(self, because: str) -> Change:
        return await self.acting.freeze(self.person, self.queue_id, because)

    async def thaw(self) -> Change:
        return await self.acting.thaw(self.person, self.queue_id)

    async def extend(self, until: datetime) -> Change:
        return await self.acting.extend(self.person, self.queue_id, until)

    async def correct(self, recipient: int, meant: str) -> Change:
        return await self.acting.correct(self.person, self.queue_id, recipient, meant)

    async def show_keys(self) -> Sequence[ShownKey]:
        return await self._files.show_keys(self.person, self.queue_id)

    async def supply(self, recipients: Collection[int], way: Way, to: str) -> Change:
        return await self._files.supply(self.person, self.queue_id, recipients, way, to)

    async def stop_keys(self, recipients: Collection[int]) -> Change:
        return await self._files.stop_keys(self.person, self.queue_id, recipients)

    async def lock(self, recipients: Collection[int]) -> Change:
        return await self._files.lock(self.person, self.queue_id, recipients)

    async def unlock(self, recipients: Collection[int]) -> Change:
        return await self._files.unlock(self.person, self.queue_id, recipients)

    async def extend_links(self, recipients: Collection[int], until: datetime) -> Change:
        return await self._files.extend_links(self.person, self.queue_id, recipients, until)

    @property
    def _files(self) -> ActingOnFiles:
        return ActingOnFiles(self.acting.spool, self.acting.clock)
