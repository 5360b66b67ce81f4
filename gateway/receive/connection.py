"""One SMTP connection below the verbs: octets in, replies out, the command loop, time, and how it ends.

It is an aiosmtpd session whose command loop, reading and writing are our own (docs/decisions/0020): input is
read in chunks, replies to pipelined commands leave together and in order (RFC 2920), nothing a client does
cancels a running handler, and an unexpected error is a 451 with an opaque id. Verbs are methods `smtp_VERB`,
as in aiosmtpd; `VERBS` lists the ones in use.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from math import inf
from typing import ClassVar

import structlog
from aiosmtpd.smtp import SMTP

from gateway.metrics import CONNECTIONS, REFUSED
from gateway.receive.command import AUTH_LINE, SyntaxFault, parse_command
from gateway.receive.limits import is_trusted
from gateway.receive.pace import Watchdog
from gateway.receive.reception import Reception
from gateway.receive.reply import OVERLONG, SHUTTING_DOWN, TIMED_OUT, TOO_EARLY, TOO_MANY, Reply, printable

CHUNK = 1 << 16  # octets asked for in one read; asyncio stops reading from the socket at twice this
LINGER = 5.0  # seconds a closed connection has to take our last reply
UNKNOWN_COMMANDS = 5  # in one session; a mail client has none
ENDLESS_LINE = 1 << 16  # octets without a line end after which nobody waits for one

# Verbs of HTTP: somebody's browser was made to talk to us (cross-protocol request forgery).
FOREIGN = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE"})

log = structlog.get_logger()


class Hangup(Exception):  # noqa: N818 - the way a session ends, not an accident
    """Ends the session, after `reply` if there is one."""

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__()
        self.reply = reply


class Connection(SMTP):
    """The transport side of a session. Subclasses add the verbs."""

    line_length_limit = CHUNK
    VERBS: ClassVar[frozenset[str]] = frozenset()

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
        self._counted = self._waiting = self._left = False
        self._severing: asyncio.TimerHandle | None = None
        self._commands = self._errors = self._unknown = 0

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        asyncio.StreamReaderProtocol.connection_made(self, transport)
        self.transport = transport
        self.ip = str((transport.get_extra_info("peername") or ("",))[0])
        self.trusted = is_trusted(self.ip, self.reception.settings.smtp.trusted_networks)
        self._counted = self.reception.connections.enter(self.ip)
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
        if self._counted:
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

    # --- the session ---

    async def _handle_client(self) -> None:
        last: Reply | None = None
        try:
            await self._greet()
            while await self._next_command():
                pass
        except Hangup as hangup:
            last = hangup.reply
        except (ConnectionError, asyncio.CancelledError):
            self._out.clear()
        except Exception:
            last = self.unexpected()
        self._say_goodbye(last)

    async def _greet(self) -> None:
        if not self._counted:
            raise Hangup(TOO_MANY)
        self._refuse_when_closing()
        await asyncio.sleep(0 if self.trusted else self.reception.greeting_pause)
        if self._reader._buffer:  # type: ignore[attr-defined] # StreamReader has no public way to ask
            raise Hangup(TOO_EARLY)
        self.say(Reply(220, "", f"{self.reception.settings.hostname} ESMTP Sekisho"))

    async def _next_command(self) -> bool:
        self._refuse_when_closing()
        line = await self.read_line()
        if line is None:
            return False
        self._refuse_when_closing()
        self._commands += 1
        if self._commands > self.limits.commands:
            raise Hangup(Reply(421, "4.7.0", "too many commands in one session", "rate"))
        try:
            await self._execute(line)
        except SyntaxFault as fault:
            self.say(fault.reply)
        except (Hangup, ConnectionError):
            raise
        except Exception:
            self.say(self.unexpected())
        return True

    def _refuse_when_closing(self) -> None:
        if self.reception.closing:
            raise Hangup(SHUTTING_DOWN)

    async def _execute(self, line: bytes) -> None:
        if not line:
            self.say(OVERLONG)
            return
        command = parse_command(line)
        if command.verb not in self.VERBS:
            self._refuse_unknown(command.verb)
            return
        method: Callable[[str], Awaitable[None]] = getattr(self, f"smtp_{command.verb}")
        await method(command.argument)

    def _refuse_unknown(self, verb: str) -> None:
        self._unknown += 1
        if verb in FOREIGN:
            raise Hangup(Reply(421, "4.7.0", "this is a mail server", "syntax"))
        if self._unknown > UNKNOWN_COMMANDS:
            raise Hangup(Reply(421, "4.7.0", "too many unknown commands", "rate"))
        self.say(Reply(500, "5.5.1", "command not recognised", "syntax"))

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

    # --- replies out ---

    def forgive(self) -> None:
        """Forget earlier errors: a relay that keeps its connection open for days makes a few."""
        self._errors = 0

    def say(self, reply: Reply, *, counted: bool = True, utf8: bool = False) -> None:
        """Queue a reply; too many refusals (`counted`) end the session."""
        self._out.append(reply.wire(utf8=utf8))
        if reply.why:
            REFUSED.labels(reply.why).inc()
        if reply.closes:
            raise Hangup
        if counted and reply.code >= 500:
            self._errors += 1
            if self._errors >= self.limits.errors:
                raise Hangup(Reply(421, "4.7.0", "too many errors", "rate"))

    async def flush(self) -> None:
        """Send the queued replies, all in one write."""
        if self._out:
            self._writer.write(b"".join(self._out))
            self._out.clear()
            await self._writer.drain()

    def unexpected(self) -> Reply:
        """Return the answer to an error nobody foresaw, inside its `except`; its cause stays in the log."""
        reference = secrets.token_hex(6)
        log.exception("smtp_error", reference=reference, ip=self.ip)
        return Reply(451, "4.3.0", f"temporary error; the administrator can find it as {reference}", "error")

    def _say_goodbye(self, last: Reply | None) -> None:
        self._watchdog.stop()
        if last is not None:
            self._out.append(last.wire())
            if last.why:
                REFUSED.labels(last.why).inc()
                log.info("smtp_closed", ip=self.ip, code=last.code, text=printable(last.text))
        if self._out and not self._writer.is_closing():
            self._writer.write(b"".join(self._out))
        self._out.clear()
        self._writer.close()
        self._sever_later()
