"""What the API works with. Whoever makes the application puts the doors into its state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import field
from zoneinfo import ZoneInfo

from fastapi import Request

from gateway.acting.acting import Acting
from gateway.acting.on_incidents import ActingOnIncidents
from gateway.api.calls import Calls
from gateway.api.problems import Refused
from gateway.audit.auditing import Auditing
from gateway.audit.daily import DailyFigures
from gateway.audit.log import EventLog
from gateway.clock import Clock
from gateway.people.contract import People, Tokens
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Doors:
    """`calls` remembers what was answered to an idempotency key.

    `turn` lets one copy of the log be made at a time.
    """

    people: People
    acting: Acting
    incidents: ActingOnIncidents
    log: EventLog
    daily: DailyFigures
    calls: Calls
    clock: Clock
    auditing: Auditing
    zone: ZoneInfo
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    @property
    def tokens(self) -> Tokens:
        return self.people.tokens


def doors_of(request: Request) -> Doors:
    """Return the doors of the application that a request came to."""
    doors: Doors = request.app.state.doors
    return doors


@asynccontextmanager
async def turn_of(request: Request) -> AsyncIterator[None]:
    """Take the turn of whoever reads the whole log; raises Refused (429) where somebody has it."""
    turn = doors_of(request).turn
    if turn.locked():
        raise Refused(429, "busy", "another copy is being made", headers={"Retry-After": "10"})
    async with turn:
        yield
