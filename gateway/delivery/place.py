"""One place in the pool: the right to use one session of a host, and the session that is used.

A session that was given back stays at hand for the next mail here; whatever else becomes of one, it is dropped and
never used again. The pool decides who gets a place and keeps what nobody uses.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from gateway.delivery.connection import Connection
from gateway.delivery.errors import NoConnection
from gateway.delivery.hop import Hop
from gateway.delivery.mail import Outgoing
from gateway.delivery.transaction import Following, nobody

if TYPE_CHECKING:
    from gateway.delivery.pool import Pool


@dataclass(slots=True)
class Host:
    """What the pool knows of one host."""

    hop: Hop
    places: asyncio.Semaphore
    users: int = 0
    waiting: int = 0
    takes_ahead: bool = True
    moved_at: float = 0.0
    idle: list[Connection] = field(default_factory=list)
    down_until: float = 0.0
    down_because: str = ""


class Place:
    """The right to use one session of a host, from `enter` to `leave` or for the length of a block; `connection` gives
    a used one or opens a new one.

    Entering waits up to `wait` seconds and raises Busy. A session not given back by then is dropped. `until` is the loop
    time at which what is under way here must have ended.
    """

    def __init__(self, pool: Pool, host: Host, wait: float) -> None:
        self._pool = pool
        self._host = host
        self._wait = wait
        self._current: Connection | None = None
        self._given_back = False
        self.name = str(host.hop)
        self.security = ""
        self.following: Following = nobody
        self.until = math.inf

    async def enter(self) -> None:
        await self._pool.enter(self._host, self._wait)

    def leave(self) -> None:
        self._put_away()
        self._pool.leave(self._host)

    async def __aenter__(self) -> Place:
        await self.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    @property
    def hop(self) -> Hop:
        return self._host.hop

    def leads_to(self, hop: Hop) -> bool:
        """Tell whether this is a place at that hop; it is nearly always the very same."""
        return self._host.hop is hop or self._host.hop == hop

    @property
    def wanted(self) -> bool:
        """Tell whether somebody waits for a place that would come free here."""
        return self._pool.wanted(self._host)

    @property
    def begun(self) -> bool:
        """Tell whether the session at hand was told of the next mail."""
        return self._given_back and self._current is not None and self._current.begun is not None

    @property
    def takes_ahead(self) -> bool:
        """Tell whether the next mail may be begun behind the one under way, on the same session."""
        return (
            self._host.takes_ahead and self._current is not None and self._pool.lasts_for_two(self._current)
        )

    def refuse_ahead(self) -> None:
        """Begin no more mail behind another at this host, as long as it is in use: it did not like it."""
        self._host.takes_ahead = False

    def begun_with(self, mail: Outgoing) -> Connection | None:
        """Return the session on which this very mail is begun, if there is one."""
        current = self._current
        if not self._given_back or current is None or current.begun is None or current.begun.mail is not mail:
            return None
        return self._use(current)

    async def connection(self, *, fresh: bool = False) -> Connection:
        """Return a session ready for MAIL; `fresh` insists on a new one. Raises what the opener raises.

        All waits on it, and for it, end at `until`.
        """
        if self._given_back and self._current is not None and not fresh and self._pool.lasts(self._current):
            return self._use(self._current)
        self._put_away()
        while self._host.idle and not fresh:
            self._current = self._pool.take(self._host)
            if self._current.usable:
                return self._use(self._current)
            self.discard()
        return self._use(await self._opened())

    async def _opened(self) -> Connection:
        late = NoConnection(f"{self.name}: no session in the time for a transaction")
        left = self.until - asyncio.get_running_loop().time()
        if left <= 0:
            raise late
        try:
            async with asyncio.timeout(left if left < math.inf else None):
                return await self._pool.open(self._host)
        except TimeoutError:
            raise late from None

    def _use(self, connection: Connection) -> Connection:
        self._current, self._given_back = connection, False
        connection.until = self.until
        self.security = connection.security
        return connection

    def discard(self) -> None:
        """Close the session at hand; it must not be used again."""
        if self._current is not None:
            self._current.abort()
            self._current = None

    def give_back(self) -> None:
        """Say that the session at hand is ready for the next mail, here or, after `leave`, elsewhere."""
        self._given_back = True

    def _put_away(self) -> None:
        """Hand the session at hand to the pool where it was given back, and drop it where not."""
        if self._given_back and self._current is not None:
            self._pool.keep(self._host, self._current)
            self._current = None
        self.discard()
        self._given_back = False
