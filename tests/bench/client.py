"""A client of our own for what smtp-source cannot do: TLS, and mails at given moments (pacing.py).

A session sends one mail after the other over a kept connection: envelope and DATA in one write, as PIPELINING allows, then
the mail. The same client is used for every contestant, with TLS and without.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

from tests.bench.source import SENDER

CONNECT_LIMIT_S = 20.0
CLOSE_LIMIT_S = 5.0
_REPLY_END = b"\r\n"


class Session(asyncio.Protocol):
    """One connection to a server that offers PIPELINING."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._input = b""
        self._replies: list[bytes] = []
        self._wanted = 0
        self._waiting: asyncio.Future[None] | None = None
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._input = (self._input + data).split(_REPLY_END)
        self._replies += [line for line in lines if line[3:4] != b"-"]
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the server closed the connection"))

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done() and len(self._replies) >= self._wanted:
            self._waiting.set_result(None)

    async def say(self, octets: bytes, expect: Sequence[bytes]) -> None:
        """Write, and wait for one reply of each code expected; raise ConnectionError for any other."""
        assert self._transport is not None
        if octets:
            self._transport.write(octets)
        self._wanted, self._waiting = len(expect), asyncio.get_running_loop().create_future()
        self._wake()
        await self._waiting
        got, self._replies = self._replies[: len(expect)], self._replies[len(expect) :]
        if [reply[:3] for reply in got] != list(expect):
            raise ConnectionError(f"the server said {got}, expected {list(expect)}")

    async def starttls(self, context: ssl.SSLContext) -> None:
        """Go on in TLS."""
        assert self._transport is not None
        await self.say(b"STARTTLS\r\n", [b"220"])
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(self._transport, self, context, server_hostname="127.0.0.1")

    async def close(self) -> None:
        """Cut the connection and see it gone: a loop that ends before TLS has said good-bye fails."""
        if self._transport is not None:
            self._transport.abort()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), CLOSE_LIMIT_S)


async def connect(port: int, context: ssl.SSLContext | None = None) -> Session:
    """Open a connection up to the reply to EHLO, in TLS where a context is given."""
    async with asyncio.timeout(CONNECT_LIMIT_S):
        _, session = await asyncio.get_running_loop().create_connection(Session, "127.0.0.1", port)
        await session.say(b"", [b"220"])
        await session.say(b"EHLO client.example\r\n", [b"250"])
        if context is not None:
            await session.starttls(context)
            await session.say(b"EHLO client.example\r\n", [b"250"])
        return session


class Mails:
    """Mails of one size to one recipient, each with a Message-ID of its own; no dots to stuff."""

    def __init__(self, recipient: str, size: int) -> None:
        self._envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
        self._head = (
            f"From: {SENDER}\r\nTo: {recipient}\r\nSubject: bench\r\nMessage-ID: <%d@bench.example>\r\n\r\n"
        )
        self._body = b"All work and no play makes for a dull piece of mail, sixty-four.\r\n" * (size // 66)
        self._number = time.monotonic_ns()

    async def send(self, session: Session) -> None:
        """Send the next one and wait for its 250."""
        self._number += 1
        raw = (
            (self._head % self._number).encode() + self._body + b".\r\n"
        )  # before others take the next number
        await session.say(self._envelope, [b"250", b"250", b"354"])
        await session.say(raw, [b"250"])


@asynccontextmanager
async def connected(
    port: int, sessions: int, context: ssl.SSLContext | None = None
) -> AsyncIterator[list[Session]]:
    """Open some connections; close them whatever happens."""
    opened: list[Session] = []
    try:
        for _ in range(sessions):
            opened.append(await connect(port, context))  # noqa: PERF401 - those opened so far are closed
        yield opened
    finally:
        for session in opened:
            await session.close()
