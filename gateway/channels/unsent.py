"""The ways by which nothing is sent: the sender tells the key, it was agreed on, or the download page gives out the file.

They are channels like the others, so that whoever asks what is missing, or what works, asks all of them alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.channels.contract import Handed, Health, NotSent, Why
from gateway.config.key_ways import is_reachable
from gateway.policy.protection import Way
from gateway.spool.key_contract import KeySending
from gateway.spool.values import Stored


class _Unsent:
    route_is_mails_own = False

    async def send(self, sending: KeySending, about: Stored) -> Handed:
        raise NotSent(Why.NOT_SENT_HERE, final=True)


class BySender(_Unsent):
    """The sender tells the key, usually by telephone; a notice says whom to call, and a page shows the key."""

    way = Way.SENDER

    def needs(self, recipient: str) -> str:
        return ""

    async def health(self) -> Health:
        return Health(True, "the sender tells the key, with the notice's link to it")


class Agreed(_Unsent):
    """The recipient knows the key: it was set with `sekisho secret set`. `count` reads how many there are."""

    way = Way.PREAGREED

    def __init__(self, count: Callable[[], Awaitable[int]]) -> None:
        self._count = count

    def needs(self, recipient: str) -> str:
        """Say what is needed; whether this recipient has it, the spool knows."""
        return "agreed-key"

    async def health(self) -> Health:
        return Health(True, f"{await self._count()} agreed keys")


class CodePage(_Unsent):
    """The recipient proves the address on the download page, by a code. Outside nobody reaches a page on this machine."""

    way = Way.CODE_PAGE

    def __init__(self, public_url: str) -> None:
        self._reachable = is_reachable(public_url)

    def needs(self, recipient: str) -> str:
        return "" if self._reachable else "public-url"

    async def health(self) -> Health:
        if self._reachable:
            return Health(True, "recipients reach the page at web.public_url")
        return Health(True, "not used: web.public_url is an address of this machine alone")
