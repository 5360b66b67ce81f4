"""The wire of one connection: octets in, octets out, time, and how it ends. No SMTP but the line.

It is an aiosmtpd session whose reading and writing are our own (docs/decisions/0020): input is read in
chunks, replies leave together, and nothing a client does cancels a running handler: not the end of its input,
not a reset.
"""

from __future__ import annotations

import asyncio
from math import inf

from aiosmtpd.smtp import SMTP

from gateway.metrics import CONNECTIONS
from gateway.receive.command import AUTH_LINE
from gateway.receive.limits import is_trusted
from gateway.receive.pace import Watchdog
from gateway.receive.reception import Reception
from gateway.receive.reply import OVERLONG, SHUTTING_DOWN, TIMED_OUT, Reply

CHUNK = 1 << 16  # octets asked for in one read; asyncio stops reading from the socket at twice this
LINGER = 5.0  # seconds a closed connection has to take our last reply
ENDLESS_LINE = 1 << 16  # octets without a line end after which nobody waits for one


class Hangup(Exception):
    """Ends the session, after `reply` if there is one."""

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__()
        self.reply = reply


class Wire(SMTP):
    """The transport side of a session. A subclass serves: it defines `_handle_client`."""

    line_length_limit = CHUNK

    def __init__(self, reception: Reception) -> None:
        # Not SMTP.__init__: it inspects every attribute of handler and session anew for each connection (0.35
        # ms), and builds the class-wide table of line limits that clients would share.
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=CHUNK, loop=loop)
        asyncio.StreamReaderProtocol.__init__(self, reader, self._cb_client_connected, loop=loop)
        self.loop = loop
        self.reception = reception
        self.limits = reception.settings.limits
        self.ip = ""
        self.trusted = False
        self._watchdog = Watchdog(loop, self._expired)
        self._ends_at = loop.time() + self.limits.session.total_seconds()
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self.admitted = self._waiting = self._left = False
        self._severing: asyncio.TimerHandle | None = None

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        asyncio.StreamReaderProtocol.connection_made(self, transport)
        self.transport = transport
        self.ip = str((transport.get_extra_info("peername") or ("",))[0])
        self.trusted = is_trusted(self.ip, self.reception.settings.smtp.trusted_networks)
        self.admitted = self.reception.connections.enter(self.ip)
        self.reception.sessions.add(self)
        CONNECTIONS.inc()
        self._handler_coroutine = self.loop.create_task(self._handle_client())

    def eof_received(self) -> bool | None:
        """Let the handler finish: a client that shut down its sending side still gets its replies."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Let the handler finish: a commit that runs must not be cancelled by a client that went away."""
        self._leave()
        asyncio.StreamReaderProtocol.connection_lost(self, error)

    def _leave(self) -> None:
        """Stop counting this connection, once: a handshake that fails may end it without `connection_lost`."""
        self._watchdog.stop()
        if self._severing is not None:
            self._severing.cancel()
        if self._left:
            return
        self._left = True
        if self.admitted:
            self.reception.connections.leave(self.ip)
        self.reception.sessions.discard(self)
        CONNECTIONS.dec()

    # --- how it ends ---

    def shut_down(self) -> None:
        """Say goodbye now if the client is between commands, else after what it is doing."""
        if self._waiting:
            self._reader.set_exception(Hangup(SHUTTING_DOWN))

    @property
    def handler(self) -> asyncio.Task[None]:
        """Return the task that serves this connection."""
        assert self._handler_coroutine is not None  # noqa: S101 - made in connection_made
        return self._handler_coroutine

    def abort(self) -> None:
        """Cut the connection and stop its handler; a commit goes on by itself."""
        self.handler.cancel()
        self._sever()

    def _sever(self) -> None:
        self._writer.transport.abort()
        self._leave()

    def _expired(self) -> None:
        self._reader.set_exception(Hangup(TIMED_OUT))
        self._sever_later()

    def _sever_later(self) -> None:
        if self._severing is None and not self._left:
            self._severing = self.loop.call_later(LINGER, self._sever)

    def hang_up(self, last: bytes) -> None:
        """Send what is queued and `last`, then close; a client that does not take it is cut off."""
        self._watchdog.stop()
        self._out.append(last)
        if not self._writer.is_closing():
            self._writer.write(b"".join(self._out))
        self._out.clear()
        self._writer.close()
        self._sever_later()

    # --- octets in ---

    async def read_line(self) -> bytes | None:
        """Return the next line with its LF; empty where it was too long to be kept, None at the end of input."""
        dropped = searched = 0
        while (at := self._buffer.find(b"\n", searched)) < 0:
            if len(self._buffer) > AUTH_LINE:
                dropped += len(self._buffer)
                self._buffer.clear()
            if dropped > ENDLESS_LINE:
                raise Hangup(OVERLONG)
            searched = len(self._buffer)
            chunk = await self.read_chunk()
            if not chunk:
                return None
            self._buffer += chunk
        line = bytes(self._buffer[: at + 1])
        del self._buffer[: at + 1]
        return b"" if dropped or len(line) > AUTH_LINE else line

    async def read_chunk(self, deadline: float = inf) -> bytes:
        """Send what there is to say, then wait for octets until `deadline` at most; empty at the end of input."""
        idle = self.loop.time() + self.limits.idle.total_seconds()
        self._watchdog.until(min(deadline, idle, self._ends_at))
        self._waiting = deadline == inf
        try:
            await self.flush()
            return bytes(await self._reader.read(CHUNK))
        finally:
            self._waiting = False
            self._watchdog.until(inf)

    def take_buffer(self) -> bytes:
        """Return what was read beyond the current line, and forget it."""
        taken, self._buffer = bytes(self._buffer), bytearray()
        return taken

    def put_back(self, octets: bytes) -> None:
        """Take back what follows the end of data: the next commands."""
        self._buffer = bytearray(octets)

    # --- octets out ---

    def queue(self, octets: bytes) -> None:
        """Keep octets until the next `flush`."""
        self._out.append(octets)

    async def flush(self) -> None:
        """Send the queued replies, all in one write."""
        if self._out:
            self._writer.write(b"".join(self._out))
            self._out.clear()
            await self._writer.drain()
