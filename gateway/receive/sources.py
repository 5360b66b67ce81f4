"""Whom to ask for evidence, and what domains are compared with: our own, and those that this organisation writes to.

Domains written to are indexed in the background and now and then again; who asks meanwhile is answered by the index before. A
domain counts as known a week after its first mail was delivered: a mistyped one must not be a known one the day after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

from gateway.clock import Clock
from gateway.evidence.domains import DomainStates
from gateway.message.evidence import Content
from gateway.message.facts import Facts
from gateway.spool.knowledge import Knowledge
from gateway.values import dataclass

Resembles = Callable[[str], str | None]
"""Tells of a domain which better known one it resembles."""

MAX_KNOWN_DOMAINS = 10_000  # domains written to that a domain is compared with, the latest
ESTABLISHED = timedelta(days=7)  # since the first delivery
KEPT_S = 600.0  # seconds until they are read again


@dataclass(frozen=True, slots=True)
class Sources:
    """Who is asked. What nobody can be asked for stays in doubt."""

    knowledge: Knowledge
    domains: DomainStates | None = None
    content: Callable[[Facts, bytes], Awaitable[Content]] | None = None
    index: Callable[[Collection[str]], Resembles] | None = None


class KnownIndex:
    """Keeps the index of known domains."""

    def __init__(self, sources: Sources, clock: Clock) -> None:
        self._from = sources
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._resembles: Resembles | None = None
        self._until = float("-inf")
        self._building: asyncio.Task[Resembles] | None = None

    async def get(self, internal: Collection[str]) -> Resembles | None:
        """Return what compares, None where nobody can; raises StoreUnavailable where there is none yet.

        Whoever is cancelled while he waits leaves the building to those after him.
        """
        if self._from.index is None:
            return None
        if self._building is None and asyncio.get_running_loop().time() >= self._until:
            self._building = asyncio.create_task(self._build(self._from.index, internal))
            self._building.add_done_callback(self._built)
        if self._resembles is None and self._building is not None:
            return await asyncio.shield(self._building)
        return self._resembles

    async def _build(
        self, index: Callable[[Collection[str]], Resembles], internal: Collection[str]
    ) -> Resembles:
        written = await self._from.knowledge.domains(MAX_KNOWN_DOMAINS, self._clock() - ESTABLISHED)
        known = written | {pattern.removeprefix(".") for pattern in internal}
        if self._resembles is not None and known == self._known:
            return self._resembles
        resembles = await asyncio.to_thread(index, known)
        self._known = known
        return resembles

    def _built(self, task: asyncio.Task[Resembles]) -> None:
        self._building = None
        if not task.cancelled() and task.exception() is None:
            self._resembles = task.result()
            self._until = asyncio.get_running_loop().time() + KEPT_S
