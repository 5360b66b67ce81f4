"""A reader whose processes can be found, for tests that look at them or do them harm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from gateway.config.settings import Content as Settings
from gateway.confined.pool import Pool
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.child import Child
from gateway.evidence.content.reader import Reader
from gateway.message.evidence import Content
from gateway.metrics import REGISTRY
from tests.evidence.content.making import facts_of


class Watched:
    """A reader whose processes can be found."""

    def __init__(self, settings: Settings, start: Callable[[Bounds], Awaitable[Child]] = Child.start) -> None:
        self.children: list[Child] = []
        self._start = start
        self._begun = asyncio.Event()
        wait = settings.wait.total_seconds()
        self.reader = Reader(
            settings, lambda bounds: Pool("content", settings.workers, wait, partial(self._begin, bounds))
        )

    async def _begin(self, bounds: Bounds) -> Child:
        child = await self._start(bounds)
        self.children.append(child)
        self._begun.set()
        return child

    async def read(self, raw: bytes) -> Content:
        return await self.reader.read(facts_of(raw), raw)

    async def child(self) -> Child:
        await self._begun.wait()
        return self.children[-1]


@asynccontextmanager
async def watched(**settings: object) -> AsyncIterator[Watched]:
    found = Watched(Settings.model_validate(settings))
    try:
        yield found
    finally:
        await found.reader.close()


def reads(result: str) -> float:
    return REGISTRY.get_sample_value("sekisho_content_reads_total", {"result": result}) or 0.0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
