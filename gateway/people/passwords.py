"""Passwords: argon2id, hashed and verified away from the event loop by a few threads, in a queue that is bounded.

Mail in and the console each have such a queue: guessing at one must not close the other. Each verification needs MEMORY_KIB
of memory and about 30 ms of one core: guessing must not be able to buy more of them than the queue holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19_456  # with two passes and one lane: the first choice of OWASP's list for argon2id
PASSES = 2
LANES = 1
THREADS = 2  # verifications at the same time
QUEUE = 64  # verifications waiting or running
# Of them, for those who have signed in from the same place before: guessers must not fill these.
RESERVED = 16
MAX_PASSWORD = 1024  # octets: nobody types more, and hashing time grows with it

T = TypeVar("T")


class Overloaded(Exception):
    """The queue of verifications is full."""


def hasher() -> PasswordHasher:
    """Return the hasher with this gateway's cost."""
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


class Hashing:
    """Hashes and verifies passwords. Close it when the service ends."""

    def __init__(self, cost: PasswordHasher | None = None) -> None:
        self._hasher = cost or hasher()
        self._nobody = self._hasher.hash("nobody has this account")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def verify(self, stored: str | None, password: str, *, first: bool = False) -> bool:
        """Tell whether this is the password; raises `Overloaded`.

        Where nobody has one (None) it takes the same work, and is never right. `first` lets it into the reserved part.
        """
        known = stored is not None
        right = await self._run(lambda: self._matches(stored or self._nobody, password), first=first)
        return right and known

    async def is_one_of(self, stored: Collection[str], password: str) -> bool:
        """Tell whether this was one of these passwords; raises `Overloaded`."""
        return await self._run(lambda: any(self._matches(each, password) for each in stored))

    async def hash(self, password: str) -> str:
        """Return the hash to store; raises `Overloaded`."""
        return await self._run(lambda: self._hasher.hash(password))

    def close(self) -> None:
        """End the threads; a verification that runs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T], *, first: bool = False) -> T:
        if self._waiting >= (QUEUE if first else QUEUE - RESERVED):
            raise Overloaded
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _matches(self, stored: str, password: str) -> bool:
        octets = password.encode("utf-8", "surrogatepass")
        try:
            return self._hasher.verify(stored, octets if len(octets) <= MAX_PASSWORD else b"")
        except (VerificationError, InvalidHashError):
            return False
