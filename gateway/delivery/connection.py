"""One SMTP connection to a next hop: octets out, replies in, every failure a `DeliveryError`.

It knows nothing of mail. Replies are queued in order, so that pipelined commands find theirs; whatever comes
unasked makes the connection unclean, and an unclean one is never used again.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections import deque
from typing import cast

from gateway.delivery.errors import BadReply, DeliveryError, NoConnection
from gateway.delivery.hop import Capabilities
from gateway.delivery.mail import Begun
from gateway.delivery.reply import Reply, ReplyParser

MAX_QUEUED = 1100
"""Replies that may wait: a transaction has at most 1,000 recipients (settings) and a handful of other
commands."""

HIGH_WATER = 512 * 1024
"""Octets the transport may buffer before writing waits for the peer."""


_TRANSACTION = "not finished in the time for a transaction", None


class Connection(asyncio.Protocol):
    """The client's end. `reused` says that it served a message before; `dot_sent` that the peer may have
    taken this one; `begun` is the mail whose envelope was said behind it. `until` is the loop time at which every wait
    ends: a peer that answers one octet a minute must come to an end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._wakeup: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._waiting_for: tuple[str, float | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._lost: DeliveryError | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.capabilities = Capabilities()
        self.security = ""
        self.needs_reset = False
        self.dot_sent = False
        self.begun: Begun | None = None
        self.until = math.inf
        self.messages = 0

    @property
    def reused(self) -> bool:
        return self.messages > 0

    @property
    def usable(self) -> bool:
        """Tell whether the connection stands, no mail is begun on it and nothing unasked has come over it (such as an
        idle 421)."""
        return self._lost is None and self.begun is None and not self._replies and self._parser.idle

    @property
    def ahead(self) -> bool:
        """Tell whether an unread reply that is no refusal lies here: an answer to what was not yet said."""
        return bool(self._replies) and any(
            not (reply.temporary or reply.permanent) for reply in self._replies
        )

    def must_be_in_step(self) -> None:
        """Raise BadReply where a reply lies here that nothing was said for: the next would count for the wrong command."""
        if self.ahead:
            raise BadReply("more replies than commands")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # `create_connection` promises it; uvloop's is no subclass.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.extend(self._parser.feed(data))  # those before a fault are kept
            if len(self._replies) > MAX_QUEUED:
                raise BadReply("more replies than commands")
        except BadReply as error:
            self._fail(error)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(NoConnection(f"connection lost: {exc}" if exc else "the peer closed the connection"))
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def write(self, data: bytes) -> None:
        """Hand octets to the transport; raises what the connection died of."""
        if self._lost is not None or self._transport is None:
            raise self._lost or NoConnection("not connected")
        self._transport.write(data)

    async def drain(self, timeout: float) -> None:
        """Wait until the transport takes more; raises NoConnection on time-out or loss."""
        if self._writable is not None:
            await self._wait(self._writable, timeout, "the peer takes no data")
        if self._lost is not None:
            raise self._lost

    def at_hand(self) -> Reply | None:
        """Return the next reply where it has come already."""
        return self._replies.popleft() if self._replies else None

    async def reply(self, timeout: float) -> Reply:
        """Return the next reply; raises NoConnection on time-out or loss, BadReply on garbage."""
        while not self._replies:
            if self._lost is not None:
                raise self._lost
            self._wakeup = self._loop.create_future()
            await self._wait(self._wakeup, timeout, "no reply in time")
        return self._replies.popleft()

    async def command(self, line: str, timeout: float) -> Reply:
        """Send one command and wait for its reply."""
        self.must_be_in_step()
        self.write(line.encode() + b"\r\n")
        return await self.reply(timeout)

    async def start_tls(self, context: ssl.SSLContext, name: str, timeout: float) -> None:
        """Encrypt the connection. What came in the clear after the 220 is an injection (CVE-2011-0411) and
        ends it."""
        self._must_be_clean()
        assert self._transport is not None  # noqa: S101 (a reply was read from it)
        try:
            transport = await self._loop.start_tls(
                self._transport, self, context, server_hostname=name, ssl_handshake_timeout=timeout
            )
        except (OSError, ValueError) as error:  # ValueError: a host name that TLS cannot carry
            self._fail(NoConnection(f"TLS failed: {error}"))
            raise NoConnection(f"TLS failed: {error}") from error
        self._must_be_clean()
        if transport is None:
            raise NoConnection("TLS failed: the connection closed")
        self._transport = transport
        self._parser = ReplyParser()

    @property
    def tls(self) -> ssl.SSLObject | None:
        """Return the TLS object of the connection, None in the clear."""
        return None if self._transport is None else self._transport.get_extra_info("ssl_object")

    def quit(self) -> None:
        """Say goodbye without waiting for an answer, and close."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
        self._lost = self._lost or NoConnection("closed by us")

    def abort(self) -> None:
        """Drop the connection at once; what is not yet sent stays unsent."""
        self._fail(NoConnection("aborted by us"))

    def _must_be_clean(self) -> None:
        if self._replies or not self._parser.idle:
            self._fail(BadReply("data in the clear after the reply to STARTTLS"))
        if self._lost is not None:
            raise self._lost

    def _fail(self, error: DeliveryError) -> None:
        self._lost = self._lost or error
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)
        if self._lost is not None and self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    async def _wait(self, future: asyncio.Future[None], timeout: float, what: str) -> None:
        """Wait for the future, which `_late` sets, with the failure in `_lost`, when the time is over."""
        self._deadline = self._loop.time() + timeout
        self._waiting_for = what, timeout
        if self._deadline > self.until:
            self._deadline, self._waiting_for = self.until, _TRANSACTION
        if self._timer is None or self._timer.when() > self._deadline:
            self._arm(self._deadline)
        try:
            await future
        finally:
            self._waiting_for = None
        if self._lost is not None and not self._replies:
            raise self._lost

    def _arm(self, when: float) -> None:
        """Set the one timer. It is not taken back when a wait ends: when it fires early, it is set anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._waiting_for is None:
            return
        if self._loop.time() < self._deadline:
            self._arm(self._deadline)
            return
        what, seconds = self._waiting_for
        self._fail(NoConnection(what if seconds is None else f"{what} ({seconds:g} s)"))
        self._wake()
