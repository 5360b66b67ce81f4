"""The way `second-mail`: the key in a mail of ours to the same address, later. It exists because people ask for it.

It goes where the mail went: who reads the one on its way reads the other (docs/channels.md). It can be stopped while it has
not left, because it is a mail of ours in the spool like any other.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.channels.contract import Handed, Health, NotSent, Why
from gateway.message.address import AddressError
from gateway.policy.protection import Way
from gateway.spool.contract import Spool
from gateway.spool.key_contract import SECOND_MAIL, KeySending
from gateway.spool.lifecycle import State
from gateway.spool.values import NewMessage, Stored

Compose = Callable[[Stored, KeySending], NewMessage]


class SecondMail:
    """`compose` writes the mail; `wake` is called after one was spooled. `under_way` are receipts whose fate is not known."""

    way = Way.SECOND_MAIL
    route_is_mails_own = True

    def __init__(self, spool: Spool, compose: Compose, wake: Callable[[], None]) -> None:
        self._spool = spool
        self._compose = compose
        self._wake = wake
        self.under_way: set[str] = set()

    def needs(self, recipient: str) -> str:
        return ""

    async def send(self, sending: KeySending, about: Stored) -> Handed:
        try:
            mail = self._compose(about, sending)
        except AddressError:
            raise NotSent(Why.GONE, final=True) from None
        queue_id = await self._spool.accept(mail)
        self._wake()
        self.under_way.add(SECOND_MAIL + queue_id)
        return Handed(SECOND_MAIL + queue_id, sending.to)

    async def health(self) -> Health:
        return Health(True, "the key goes where the mail goes: weak")

    async def fate(self, receipt: str) -> bool | None:
        """Tell whether our mail has arrived at the next hop; None while it is on its way. Raises UnknownMessage."""
        stored = await self._spool.get(receipt.removeprefix(SECOND_MAIL))
        states = {row.state for row in stored.recipients}
        if states <= {State.DELIVERED}:
            return True
        return False if states & {State.BOUNCED, State.CANCELLED} else None
