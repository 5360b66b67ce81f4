"""Whether a login and a password of a mail client belong together.

Every answer takes one verification, whether the account exists or not, so that the time tells nothing. One more than the
queue holds gets 454.
"""

from __future__ import annotations

from argon2 import PasswordHasher

from gateway.people.passwords import Hashing
from gateway.people.passwords import Overloaded as Overloaded
from gateway.receive.account import Account
from gateway.receive.accounts import Accounts


class Verifier:
    """Answers whether a login and a password belong together. Close it when the service ends."""

    def __init__(self, accounts: Accounts, cost: PasswordHasher | None = None) -> None:
        self._accounts = accounts
        self._hashing = Hashing(cost)

    async def verify(self, login: str, password: str, *, first: bool = False) -> Account | None:
        """Return the account, or None for unknown, wrong and suspended alike; raises `Overloaded`.

        `first` lets it into the reserved part of the queue.
        """
        account = self._accounts.get(login)
        stored = account.password if account is not None else None
        right = await self._hashing.verify(stored, password, first=first)
        return self._accounts.active(login) if right else None

    def close(self) -> None:
        """End the threads; a verification that runs is not waited for."""
        self._hashing.close()
