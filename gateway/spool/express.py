"""The short way of a mail that nothing holds: from intake to delivery, octets in hand, past a search in the spool.

The rows are on disk with their leases all the same; who takes the short way only saves finding and reading them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from gateway.spool.values import Claim


class Express(Protocol):
    """Whoever delivers may take new mail at once, octets in hand, instead of finding and reading it in the spool."""

    def reserve(self, recipients: int, octets: int) -> timedelta | None:
        """Keep places for recipients that nothing holds; return for how long to lease them, None where there is no room."""

    def start(self, claim: Claim, raw: bytes) -> None:
        """Begin on a claim that `accept_and_claim` made within reserved places."""

    def give_back(self, recipients: int, octets: int) -> None:
        """Give places back for which no claim came."""

    def wake(self) -> None:
        """Say that mail for which there was no room is in the spool now."""
