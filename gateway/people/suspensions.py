"""Who is suspended, in memory: mail in asks at every MAIL and every final dot, and must not wait for the store.

A verb of this process is here before it returns; those of commands, of other workers and of other gateways within EVERY_S, or
as soon as their bell is heard. Where the store cannot be read, what was known stays: nobody who is suspended gets in by that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.people.rows import login_key
from gateway.spool.contract import StoreUnavailable

EVERY_S = 2.0  # seconds between two looks; each is a read of a partial index

log = structlog.get_logger()


class Suspensions:
    """The logins that nobody may use. `read` asks the store for them."""

    def __init__(self, read: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._read = read
        self._logins: frozenset[str] = frozenset()
        self._rung = asyncio.Event()

    def holds(self, login: str) -> bool:
        """Tell whether this login is suspended, in large or small letters."""
        return bool(self._logins) and login_key(login) in self._logins

    async def refresh(self) -> None:
        """Read them now; raises StoreUnavailable."""
        self._logins = await self._read()

    def ring(self) -> None:
        """Have them read soon: another process changed something."""
        self._rung.set()

    async def watch(self) -> None:
        """Read them again and again, for ever."""
        while True:
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._rung.wait()
            except TimeoutError:
                pass
            self._rung.clear()
            try:
                await self.refresh()
            except StoreUnavailable as error:
                log.warning("suspensions.kept", known=len(self._logins), cause=str(error))
