"""By which ways a key could reach people: what the settings allow, whose number is known, with whom a key was agreed on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from gateway.message.address import Address
from gateway.policy.protection import Way

_OF_ONE = frozenset({Way.SMS, Way.PREAGREED})
"""Ways that hang on the person, and not on the settings alone."""


class KeyWays:
    """`usable` are the ways that the settings allow; the others return those of the addresses (keys) that they know."""

    def __init__(
        self,
        usable: Callable[[], frozenset[Way]],
        numbers_known: Callable[[Collection[str]], frozenset[str]],
        agreed: Callable[[Collection[str]], Awaitable[frozenset[str]]],
    ) -> None:
        self._usable = usable
        self._numbers_known = numbers_known
        self._agreed = agreed

    async def of(self, recipients: Sequence[Address]) -> Sequence[frozenset[Way]]:
        """Return the ways to each of them, in their order; raises StoreUnavailable."""
        # An address that can be read in two ways is nobody's: its key may be somebody else's.
        names = ["" if each.ambiguous else each.key for each in recipients]
        usable = self._usable()
        known = {
            Way.SMS: self._numbers_known(names) if Way.SMS in usable else frozenset[str](),
            Way.PREAGREED: await self._agreed(names) if Way.PREAGREED in usable else frozenset[str](),
        }
        for_all = usable - _OF_ONE
        return [for_all | {way for way, people in known.items() if name in people} for name in names]
