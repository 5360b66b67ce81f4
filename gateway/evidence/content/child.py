"""A process that reads, seen from the gateway. What it says is checked (told.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict

import orjson

from gateway.confined.process import ChildDied, Process
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.told import MAX_OCTETS, Done, Told, from_octets, to_octets

_MODULE = "gateway.evidence.content.worker"


class Child(Process):
    """A process that is ready to read. Made by `start`; `kill` it in the end, whatever happened."""

    @classmethod
    async def start(cls, bounds: Bounds) -> Child:
        """Start a process and wait until it is ready; raises ChildDied, OSError."""
        return await cls.started(_MODULE, bounds.memory_octets, to_octets(Done()))

    async def ask(self, raw: bytes, local_parts: Iterable[str], bounds: Bounds) -> AsyncIterator[Told]:
        """Hand over a mail and yield what is told, up to `Done`; raises ChildDied."""
        await self.say(orjson.dumps({"bounds": asdict(bounds), "local_parts": list(local_parts)}), raw)
        while True:
            told = await self._told()
            if isinstance(told, Done):
                self.retired = told.retires
                return
            yield told

    async def _told(self) -> Told:
        try:
            return from_octets(await self.hear(MAX_OCTETS))
        except ValueError as error:
            raise ChildDied("said nonsense") from error
