"""What becomes of a mail's files, found out before the 250: looked at in a confined process, met with what rules ask for.

Only mail that a rule protects comes here. What the sender is told is then what leaves: the decision is stored with it. Where
nobody can look, the mail is put off, never taken in unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.handle import with_handling
from gateway.policy.handling import Seen
from gateway.policy.protection import Way

_NOT_BELIEVED = "unread"
"""The obstacle of a mail whose attachments the process did not see: some other mail may have taken hold of it."""

QUICK_RECIPIENTS = 2_000
"""Recipients whose files are decided on in some milliseconds."""


class Ways(Protocol):
    """Tells by which ways a key could reach people now."""

    async def of(self, recipients: Sequence[Address]) -> Sequence[frozenset[Way]]:
        """Return the ways to each of them, in their order, for a sender who can be told; raises StoreUnavailable."""


class Protecting:
    """`look` is that of the sealing processes; it raises NoChild."""

    def __init__(self, look: Callable[[bytes], Awaitable[Seen]], ways: Ways) -> None:
        self._look = look
        self._ways = ways

    async def handled(
        self,
        decision: Decision,
        envelope: Envelope,
        raw: bytes,
        *,
        sender_may_be_told: bool,
        has_files: bool = False,
    ) -> Decision:
        """Return the decision with what becomes of the files, the copies' too; raises NoChild, StoreUnavailable.

        `has_files`: the gateway itself saw attachments, so that a process which sees none cannot be believed.
        A sender who may not be told, because they are nobody of ours, can be shown no key either.
        """
        if decision.refusals or not decision.protects:
            return decision
        seen = await self._look(raw)
        if has_files and not seen.files and not seen.obstacle:
            seen = Seen(obstacle=_NOT_BELIEVED)
        ways = await self._ways.of(envelope.recipients)
        silent = frozenset[Way]() if sender_may_be_told else frozenset({Way.SENDER})

        def handle() -> Decision:
            return with_handling(decision, seen, lambda index: ways[index] - silent)

        return handle() if len(ways) <= QUICK_RECIPIENTS else await asyncio.to_thread(handle)
