"""`spool.halts`: what people do to a mail that must not leave as it is, and that is not cancelled.

A frozen recipient stays HELD; nothing leaves of a frozen mail, whatever anybody agrees to meanwhile, and nothing is lost: what
was said counts, and deadlines pass as their rules say (docs/decisions/0083-frozen-mail.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from gateway.values import dataclass

if TYPE_CHECKING:
    from gateway.spool.values import Actor, Change

FROZEN_FOR = timedelta(
    days=10
)  # unless the settings say otherwise: long enough for who is on leave, short enough to hurt
LONGEST = timedelta(days=30)  # from acceptance: nothing waits for ever because somebody made it wait longer


@dataclass(frozen=True, slots=True)
class Freeze:
    """Somebody stopped the timer of a mail: since when, until when (it is cancelled then), who, and why."""

    at: datetime
    until: datetime
    kind: str
    name: str
    because: str = ""


class Halts(Protocol):
    """`spool.halts`. Every verb raises StoreUnavailable, UnknownMessage, and RecordUnreadable where nobody can tell what the
    mail waits for."""

    async def freeze(self, queue_id: str, actor: Actor, because: str, now: datetime) -> Change:
        """Stop the timer of a whole mail: whoever has not got it is HELD until somebody thaws it, or it is cancelled.

        `done` are those who wait now; what is on its way at this moment is not done, but is held if it comes back.
        """

    async def thaw(self, queue_id: str, actor: Actor, now: datetime) -> Change:
        """Let the rest of each window run on; who has everything and no time left goes at once.

        What an administrator froze only an administrator thaws: for others `done` is empty.
        """

    async def extend(self, queue_id: str, until: datetime, actor: Actor, now: datetime) -> Change:
        """Let held recipients wait until that time, never shorter than they do, and LONGEST after acceptance at most.

        The deadlines of approvals and confirmations stay. A frozen mail is not extended: it has no time that runs.
        """

    async def correct(self, queue_id: str, recipient: int, meant: str, actor: Actor, now: datetime) -> Change:
        """Cancel one recipient, write down which address was meant, and tell the sender what to send again and to whom.

        The mail is never changed. Raises ValueError where `meant` is no address.
        """
