"""The command loop of one connection: the greeting, one command after another, refusals, unexpected errors.

Replies to pipelined commands leave together and in order (RFC 2920). An unexpected error is a 451 with an
opaque id, and its cause stays in the log. Verbs are methods `smtp_VERB`, as in aiosmtpd; `VERBS` lists the
ones in use. A verb that never waits is a plain method, so that no coroutine is made for it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, ClassVar

import structlog

from gateway.metrics import REFUSED
from gateway.receive.command import SyntaxFault, parse_command
from gateway.receive.reception import Reception
from gateway.receive.reply import OVERLONG, SHUTTING_DOWN, TOO_EARLY, TOO_MANY, Reply, printable
from gateway.receive.wire import Hangup, Wire

UNKNOWN_COMMANDS = 5  # in one session; a mail client has none
BURST = 64  # pipelined commands, about a millisecond, after which other connections have their turn

# Verbs of HTTP: somebody's browser was made to talk to us (cross-protocol request forgery).
FOREIGN = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE"})

log = structlog.get_logger()


Verb = Callable[[Any, str], Awaitable[None] | None]


class Connection(Wire):
    """Reads commands and says replies. Subclasses add the verbs."""

    VERBS: ClassVar[frozenset[str]] = frozenset()
    _methods: ClassVar[dict[str, Verb]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._methods = {verb: getattr(cls, f"smtp_{verb}") for verb in cls.VERBS}

    def __init__(self, reception: Reception) -> None:
        super().__init__(reception)
        self._commands = self._errors = self._unknown = 0

    async def _handle_client(self) -> None:
        last: Reply | None = None
        try:
            await self._greet()
            await self._serve()
        except Hangup as hangup:
            last = hangup.reply
        except (ConnectionError, asyncio.CancelledError):
            self._out.clear()
        except Exception:
            last = self.unexpected()
        self._say_goodbye(last)

    async def _greet(self) -> None:
        if not self.peer.admitted:
            raise Hangup(TOO_MANY)
        self._refuse_when_closing()
        await self.introduced()
        await self.greet()

    async def introduced(self) -> None:
        """Learn whose connection this is, where the peer may say so."""

    async def greet(self) -> None:
        """Say the banner, to a client that waited for it and may come now."""
        free = self.peer.trusted or self.peer.fronts
        if not free and (over := self.reception.rates.connection(self.peer.ip, self.loop.time())):
            raise Hangup(over.parting())
        await asyncio.sleep(0 if free else self.reception.greeting_pause)
        if self.input:
            raise Hangup(TOO_EARLY)
        self.say(Reply(220, "", f"{self.reception.settings.hostname} ESMTP Sekisho"))

    @property
    def uncounted(self) -> int:
        """Return how many commands of the mail at hand are not held against the client."""
        return 0

    async def _serve(self) -> None:
        """Answer one command after another, to the end of input."""
        reception, allowed = self.reception, self.limits.commands
        while (line := await self.read_line()) is not None:
            if reception.closing:
                self._refuse_when_closing()
            self._commands += 1
            if self._commands % BURST == 0:
                await asyncio.sleep(0)
            if self._commands > allowed and self._commands > allowed + self.uncounted:
                raise Hangup(Reply(421, "4.7.0", "too many commands in one session", "rate"))
            try:
                if (waiting := self._execute(line)) is not None:
                    await waiting
            except SyntaxFault as fault:
                self.say(fault.reply)
            except (Hangup, ConnectionError):
                raise
            except Exception:
                self.say(self.unexpected())

    def _refuse_when_closing(self) -> None:
        if self.reception.closing and self.mail_ends_at == inf:
            raise Hangup(SHUTTING_DOWN)

    def _execute(self, line: bytes) -> Awaitable[None] | None:
        """Do what a line says; return what is to be awaited, if anything is."""
        if not line:
            self.say(OVERLONG)
            return None
        verb, argument = parse_command(line)
        method = self._methods.get(verb)
        if method is None:
            self.refuse_unknown(verb)
            return None
        return method(self, argument)

    def refuse_unknown(self, verb: str) -> None:
        """Answer a verb that nobody offered to this client."""
        self._unknown += 1
        if verb in FOREIGN:
            raise Hangup(Reply(421, "4.7.0", "this is a mail server", "syntax"))
        if self._unknown > UNKNOWN_COMMANDS:
            raise Hangup(Reply(421, "4.7.0", "too many unknown commands", "rate"))
        self.say(Reply(500, "5.5.1", "command not recognised", "syntax"))

    # --- replies ---

    def forgive(self) -> None:
        """Forget what was counted so far: a relay keeps its connection open for thousands of mails, and makes a few errors."""
        self._commands = self._errors = 0

    def say(self, reply: Reply, *, counted: bool = True, utf8: bool = False) -> None:
        """Queue a reply; too many refusals (`counted`) end the session."""
        self.queue(reply.wire(utf8=utf8))
        if reply.why:
            REFUSED.labels(reply.why).inc()
        if reply.closes:
            raise Hangup
        if counted and reply.code >= 500:
            self._errors += 1
            if self._errors >= self.limits.errors:
                raise Hangup(Reply(421, "4.7.0", "too many errors", "rate"))

    def unexpected(self) -> Reply:
        """Return the answer to an error nobody foresaw, inside its `except`; its cause stays in the log."""
        reference = secrets.token_hex(6)
        log.exception("smtp_error", reference=reference, ip=self.peer.ip)
        return Reply(451, "4.3.0", f"temporary error; the administrator can find it as {reference}", "error")

    def _say_goodbye(self, last: Reply | None) -> None:
        if last is not None and last.why:
            REFUSED.labels(last.why).inc()
            log.info("smtp_closed", ip=self.peer.ip, code=last.code, text=printable(last.text))
        self.hang_up(last.wire() if last is not None else b"")
