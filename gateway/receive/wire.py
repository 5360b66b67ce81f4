"""The wire of one connection: octets in, octets out, time, and how it ends. No SMTP but the line.

It is an aiosmtpd session whose reading and writing are our own (docs/decisions/0021): what arrives goes into one
buffer, the handler waits on one future for whatever comes next, replies leave together, and nothing a client
does cancels a running handler: not the end of its input, not a reset. Who the client is stands in `peer`.
"""

from __future__ import annotations

import asyncio
from asyncio.streams import FlowControlMixin
from collections.abc import Awaitable, Callable
from math import inf
from typing import cast

from aiosmtpd.smtp import SMTP

from gateway.metrics import CONNECTIONS
from gateway.receive.command import AUTH_LINE
from gateway.receive.pace import Watchdog
from gateway.receive.peer import Peer
from gateway.receive.reception import Reception
from gateway.receive.reply import OVERLONG, SHUTTING_DOWN, TIMED_OUT, Reply

UNREAD = 1 << 17  # octets that wait for the handler before we stop reading from the socket
LINGER = 5.0  # seconds a closed connection has to take our last reply
ENDLESS_LINE = 1 << 16  # octets without a line end after which nobody waits for one


class Hangup(Exception):
    """Ends the session, after `reply` if there is one."""

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__()
        self.reply = reply


class Wire(SMTP):
    """The transport side of a session. A subclass serves: it defines `_handle_client`."""

    transport: asyncio.Transport
    peer: Peer
    _paused: bool  # asyncio's flow control of writing, inherited by way of aiosmtpd
    _drain_helper: Callable[[], Awaitable[None]]

    def __init__(self, reception: Reception) -> None:
        # Not SMTP.__init__: it inspects every attribute of handler and session anew for each connection (0.35
        # ms), and builds the class-wide table of line limits that clients would share.
        loop = asyncio.get_running_loop()
        FlowControlMixin.__init__(self, loop=loop)
        self.loop = loop
        self.reception = reception
        self.limits = reception.settings.limits
        self.tls = False
        self.input = bytearray()  # what arrived and nobody has taken yet
        self._arrival: asyncio.Future[None] | None = None
        self._ended = self._choked = False
        self._failure: Exception | None = None
        self._out: list[bytes] = []
        self.queue: Callable[[bytes], None] = self._out.append  # keeps octets until the next `flush`
        self._watchdog = Watchdog(loop, self._expired)
        self._ends_at = loop.time() + reception.session_seconds
        self.mail_ends_at = inf  # while a mail comes in by several commands
        self._waiting = self._left = False
        self._severing: asyncio.TimerHandle | None = None

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.tls = transport.get_extra_info("sslcontext") is not None
        address = str((transport.get_extra_info("peername") or ("",))[0])
        self.peer = Peer(address, self.reception.settings.smtp, self.reception.connections)
        self.reception.sessions.add(self)
        CONNECTIONS.inc()
        self._handler_coroutine = self.loop.create_task(self._handle_client())

    def data_received(self, data: bytes) -> None:
        self.input += data
        if len(self.input) > UNREAD and not self._choked:
            self._choked = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Let the handler finish: a client that shut down its sending side still gets its replies."""
        self._ended = True
        self._wake()
        return not self.tls

    def connection_lost(self, error: Exception | None) -> None:
        """Let the handler finish: a commit that runs must not be cancelled by a client that went away."""
        self._leave()
        self._ended = True
        if error is not None and self._failure is None:
            self._failure = ConnectionResetError(str(error))
        FlowControlMixin.connection_lost(self, error)
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def _leave(self) -> None:
        """Stop counting this connection, once: a handshake that fails may end it without `connection_lost`."""
        self._watchdog.stop()
        if self._severing is not None:
            self._severing.cancel()
        if self._left:
            return
        self._left = True
        self.peer.leave()
        self.reception.sessions.discard(self)
        CONNECTIONS.dec()

    # --- how it ends ---

    def shut_down(self) -> None:
        """Say goodbye now if the client is between commands, else after what it is doing."""
        if self._waiting:
            self._interrupt(Hangup(SHUTTING_DOWN))

    @property
    def handler(self) -> asyncio.Task[None]:
        """Return the task that serves this connection."""
        assert self._handler_coroutine is not None  # noqa: S101 - made in connection_made
        return self._handler_coroutine

    def abort(self) -> None:
        """Cut the connection and stop its handler; one that is committing stops when that is over."""
        if self.handler not in self.reception.commits:
            self.handler.cancel()
        self._sever()

    def _interrupt(self, failure: Hangup) -> None:
        """Let the next octets never come: the handler gets `failure` instead."""
        self._failure = failure
        self._wake()

    def _sever(self) -> None:
        self.transport.abort()
        self._leave()

    def _expired(self) -> None:
        self._interrupt(Hangup(TIMED_OUT))
        self._sever_later()

    def _sever_later(self) -> None:
        if self._severing is None and not self._left:
            self._severing = self.loop.call_later(LINGER, self._sever)

    def hang_up(self, last: bytes) -> None:
        """Send what is queued and `last`, then close; a client that does not take it is cut off."""
        self._watchdog.stop()
        self.queue(last)
        self.send()
        self.transport.close()
        self._sever_later()

    # --- octets in ---

    async def read_line(self) -> bytes | None:
        """Return the next line with its LF; empty where it was too long to be kept, None at the end of input."""
        dropped = searched = 0
        while (at := self.input.find(b"\n", searched)) < 0:
            if len(self.input) > AUTH_LINE:
                dropped += len(self.input)
                self.input.clear()
            if dropped > ENDLESS_LINE:
                raise Hangup(OVERLONG)
            searched = len(self.input)
            if not await self.more():
                return None
        line = bytes(self.input[: at + 1])
        del self.input[: at + 1]
        return b"" if dropped or len(line) > AUTH_LINE else line

    def take(self, most: int | None = None) -> bytearray:
        """Return what has arrived, or `most` octets of it, and forget that."""
        if most is None or most >= len(self.input):
            taken, self.input = self.input, bytearray()
        else:
            taken = self.input[:most]
            del self.input[:most]
        return taken

    async def more(self, deadline: float = inf) -> bool:
        """Send what there is to say, then wait until more octets have arrived; False at the end of input.

        Without a `deadline` and outside of a mail this is the wait for a command, which `shut_down` may end.
        """
        loop, reception = self.loop, self.reception
        idle = loop.time() + reception.idle_seconds
        self._watchdog.until(min(deadline, idle, self.mail_ends_at, self._ends_at))
        self._waiting = deadline == self.mail_ends_at == inf
        if reception.closing:
            self.shut_down()
        have = len(self.input)
        try:
            if self._paused or self._left:
                await self.flush()
            elif self._out:
                reception.outbox.add(self, loop)
            while len(self.input) == have:
                if self._failure is not None:
                    raise self._failure
                if self._ended:
                    return False
                if self._choked:
                    self._choked = False
                    self.transport.resume_reading()
                self._arrival = arrival = loop.create_future()
                await arrival
        finally:
            self._waiting = False
            self._watchdog.deadline = inf
        return True

    # --- octets out ---

    def send(self) -> None:
        """Send the queued replies now, all in one write."""
        out = self._out
        if out and not self.transport.is_closing():
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()

    async def flush(self) -> None:
        """Let the queued replies leave at the end of this turn; wait while the client does not take them."""
        if self._out:
            self.reception.outbox.add(self, self.loop)
        if self._paused or self._left:
            await self._drain_helper()  # raises ConnectionResetError when nobody is there any more
