"""Passwords: argon2id, hashed and verified away from the event loop by a few threads, in a queue that is bounded.

Every answer takes one verification, whether the account exists or not, so that the time tells nothing. Each
verification needs MEMORY_KIB of memory and about 30 ms of one core: guessing must not be able to buy more of
them than the queue holds.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.receive.account import Account
from gateway.receive.accounts import Accounts

MEMORY_KIB = 19_456  # with two passes and one lane: the first choice of OWASP's list for argon2id
PASSES = 2
LANES = 1
THREADS = 2  # verifications at the same time
QUEUE = 64  # verifications waiting or running; one more gets 454
# Of them, for accounts that have signed in from the same network before: guessers must not fill these.
RESERVED = 16
MAX_PASSWORD = 1024  # octets: nobody types more, and hashing time grows with it


class Overloaded(Exception):
    """The queue of verifications is full."""


def hasher() -> PasswordHasher:
    """Return the hasher with this gateway's cost."""
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


class Verifier:
    """Answers whether a login and a password belong together. Close it when the service ends."""

    def __init__(self, accounts: Accounts, cost: PasswordHasher | None = None) -> None:
        self._accounts = accounts
        self._hasher = cost or hasher()
        self._nobody = self._hasher.hash("nobody has this account")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def verify(self, login: str, password: str, *, first: bool = False) -> Account | None:
        """Return the account, or None for unknown, wrong and suspended alike; raises `Overloaded`.

        `first` lets it into the reserved part of the queue.
        """
        if self._waiting >= (QUEUE if first else QUEUE - RESERVED):
            raise Overloaded
        account = self._accounts.get(login)
        stored = account.password if account is not None else self._nobody
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            matches = await loop.run_in_executor(self._threads, self._matches, stored, password)
        finally:
            self._waiting -= 1
        return self._accounts.active(login) if matches and account is not None else None

    def close(self) -> None:
        """End the threads; a verification that runs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        if len(password.encode("utf-8")) > MAX_PASSWORD:
            password = ""
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
