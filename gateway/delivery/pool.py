"""Sessions that stay open between mails: bounded per host and in all, reused while they are good, closed when
idle.

A place in the pool is taken first and the session second, so that who waits for a slow host holds nothing
else. A host that could not be reached is left alone for a moment: a thousand waiting copies must not each run
into the same time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.delivery.connection import Connection
from gateway.delivery.errors import Busy, NoConnection
from gateway.delivery.hop import Hop
from gateway.delivery.place import Host, Place

Open = Callable[[Hop], Awaitable[Connection]]

IDLE = 30.0  # seconds an unused session stays open; many servers close after 60 to 300
MAX_IDLE = 100  # unused sessions in all, so that mail for many domains does not collect sockets
MAX_MESSAGES = 100  # messages on one session: servers count them, and load balancers want a turn
REST = 5.0  # seconds without a new attempt after a host could not be reached
STUCK = 20.0
"""Seconds in which no place at a mail exchanger came free, after which nobody waits for it: who waits holds a
lease, and a few hundred recipients of one silent host would hold all there are. The smarthost is waited for:
there is no other mail."""

GOODBYE = 2.0  # seconds granted to sessions to close when the pool closes


class Pool:
    """All sessions of the service. `per_host` and `total` bound how many are in use at once."""

    def __init__(
        self, open_: Open, per_host: int, total: int, *, idle: float = IDLE, max_messages: int = MAX_MESSAGES
    ) -> None:
        self._open = open_
        self.per_host = per_host
        self._total = asyncio.Semaphore(total)
        self._waiting_for_any = 0
        self._idle_seconds = idle
        self._max_messages = max_messages
        self._hosts: dict[Hop, Host] = {}
        self._timers: dict[Connection, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Future[None]] = set()

    def place(self, hop: Hop, wait: float) -> Place:
        """Return a place at the host, to be entered with `async with`."""
        host = self._hosts.get(hop)
        if host is None:
            host = self._hosts[hop] = Host(hop, asyncio.Semaphore(self.per_host))
        return Place(self, host, wait)

    async def enter(self, host: Host, wait: float) -> None:
        """Take a place at the host, then one of all; in this order, so that a slow host's queue blocks nobody
        else."""
        host.users += 1
        try:
            if host.places.locked():
                await self._queue(host, wait)
            elif self._total.locked():
                await self._acquire(host, wait)
            else:  # nobody to wait for: neither of these two suspends
                await host.places.acquire()
                await self._total.acquire()
        except BaseException:
            host.users -= 1
            self._forget(host)
            raise
        host.moved_at = asyncio.get_running_loop().time()

    def leave(self, host: Host) -> None:
        """Give a place back."""
        host.moved_at = asyncio.get_running_loop().time()
        self._total.release()
        host.places.release()
        host.users -= 1
        self._forget(host)

    async def open(self, host: Host) -> Connection:
        """Open a session unless the host failed a moment ago; raises what the opener raises."""
        loop = asyncio.get_running_loop()
        if loop.time() < host.down_until:
            raise NoConnection(host.down_because)
        try:
            connection = await self._open(host.hop)
        except NoConnection as error:
            host.down_until, host.down_because = loop.time() + REST, str(error)
            loop.call_later(REST, self._forget, host)
            raise
        self._closing.add(connection.closed)
        connection.closed.add_done_callback(self._closing.discard)
        return connection

    def take(self, host: Host) -> Connection:
        """Take the session that was used last: the others may grow old and close."""
        connection = host.idle.pop()
        self._timers.pop(connection).cancel()
        return connection

    def lasts(self, connection: Connection) -> bool:
        """Tell whether a session that was given back can take another mail."""
        return connection.usable and connection.messages < self._max_messages

    def lasts_for_two(self, connection: Connection) -> bool:
        """Tell whether a session that has a mail under way can take another one after it."""
        return connection.messages + 1 < self._max_messages

    def wanted(self, host: Host) -> bool:
        """Tell whether anybody waits for a place at this host, or for one of all."""
        return host.waiting > 0 or self._waiting_for_any > 0

    def keep(self, host: Host, connection: Connection) -> None:
        """Keep a session for the next mail, or say goodbye."""
        if not connection.usable:
            connection.abort()
        elif not self.lasts(connection) or len(self._timers) >= MAX_IDLE:
            connection.quit()
        else:
            host.idle.append(connection)
            loop = asyncio.get_running_loop()
            self._timers[connection] = loop.call_later(self._idle_seconds, self._expire, host, connection)

    def _expire(self, host: Host, connection: Connection) -> None:
        if connection in host.idle:
            host.idle.remove(connection)
            self._timers.pop(connection).cancel()
            connection.quit()
        self._forget(host)

    async def close(self) -> None:
        """Say goodbye on all idle sessions and wait shortly for all sessions to be closed."""
        for host in self._hosts.values():
            while host.idle:
                self.take(host).quit()
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=GOODBYE)

    async def _queue(self, host: Host, wait: float) -> None:
        """Wait for a place as long as places come free there: at a mail exchanger that is stuck nobody
        waits."""
        now = asyncio.get_running_loop().time
        end = now() + wait
        while True:
            still = (host.moved_at + STUCK if host.hop.address else end) - now()
            if still <= 0:
                raise Busy(f"{host.hop}: every connection there has been busy for {STUCK:g} s")
            try:
                return await self._acquire(host, min(still, end - now()))
            except Busy:
                if now() >= end:
                    raise

    async def _acquire(self, host: Host, wait: float) -> None:
        host.waiting += 1
        try:
            async with asyncio.timeout(wait):
                await host.places.acquire()
                try:
                    await self._acquire_any()
                except BaseException:
                    host.places.release()
                    raise
        except TimeoutError:
            raise Busy(f"{host.hop}: no free connection in {wait:g} s") from None
        finally:
            host.waiting -= 1

    async def _acquire_any(self) -> None:
        self._waiting_for_any += 1
        try:
            await self._total.acquire()
        finally:
            self._waiting_for_any -= 1

    def _forget(self, host: Host) -> None:
        """Drop the record of a host that nobody uses: the table must not grow with every domain ever written
        to."""
        down = asyncio.get_running_loop().time() < host.down_until
        if self._hosts.get(host.hop) is host and not (host.users or host.idle or down):
            del self._hosts[host.hop]
