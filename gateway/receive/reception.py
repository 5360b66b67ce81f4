"""What all sessions share: settings, counters, accounts, and the commits that run.

A commit belongs to nobody's connection: a client that goes away neither stops it nor leaves half of it behind,
because nothing that a client does cancels the task that waits for it (`wire`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.config.settings import Settings
from gateway.message.envelope import Envelope
from gateway.receive.accounts import Accounts
from gateway.receive.guesses import Guesses
from gateway.receive.limits import Budget, Connections
from gateway.receive.outbox import Outbox
from gateway.receive.passwords import Verifier
from gateway.receive.rates import Rates
from gateway.receive.reply import Reply

FAILURE_DELAY = 1.0  # seconds before a failed AUTH is answered; a person does not notice, a guesser does
GREETING_PAUSE = 0.02  # seconds an unknown client has to stay silent before the banner


class OpenSession(Protocol):
    """What the listener needs of a session when it closes down."""

    @property
    def handler(self) -> asyncio.Task[Any]:
        """Return the task that serves the session."""

    def shut_down(self) -> None:
        """Say 421 at the next chance and hang up."""

    def abort(self) -> None:
        """Hang up now."""


Submit = Callable[[Envelope, bytes], Awaitable[Reply]]


@dataclass(slots=True)
class Reception:
    """One per listener. `failure_delay` and `greeting_pause` are seconds."""

    settings: Settings
    submit: Submit
    accounts: Accounts
    verifier: Verifier
    tls: ssl.SSLContext | None = None
    failure_delay: float = FAILURE_DELAY
    greeting_pause: float = GREETING_PAUSE
    closing: bool = False
    connections: Connections = field(init=False)
    budget: Budget = field(init=False)
    guesses: Guesses = field(init=False)
    rates: Rates = field(init=False)
    sessions: set[OpenSession] = field(default_factory=set)
    outbox: Outbox = field(default_factory=Outbox)
    commits: set[asyncio.Task[Any]] = field(default_factory=set)
    idle_seconds: float = field(init=False)
    data_seconds: float = field(init=False)
    session_seconds: float = field(init=False)

    def __post_init__(self) -> None:
        limits = self.settings.limits
        self.connections = Connections(limits.connections, limits.connections_per_address)
        self.budget = Budget(limits.bytes_in_flight)
        self.guesses = Guesses(limits.auth_failures)
        self.idle_seconds = limits.idle.total_seconds()
        self.data_seconds = limits.data.total_seconds()
        self.session_seconds = limits.session.total_seconds()
        self.rates = Rates(limits)

    async def commit(self, task: asyncio.Task[Any], envelope: Envelope, raw: bytes, reserved: int) -> Reply:
        """Hand the mail in for `task`, which calls this, and return the reply.

        Gives `reserved` octets of the budget back when that is over.
        """
        self.commits.add(task)
        try:
            return await self.submit(envelope, raw)
        finally:
            self.commits.discard(task)
            self.budget.take(-reserved)
