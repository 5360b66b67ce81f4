"""One process that reads, seen from the gateway: started clean, asked, and killed by its id where it does not answer in time.

It inherits nothing: no environment, no descriptor but its pipes, no directory, no terminal. What it says is checked
(told.py). After any answer that is not whole it is killed, never asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict

import orjson

from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.frames import LENGTH
from gateway.evidence.content.told import MAX_OCTETS, Done, Told, from_octets

START_S = 20.0
"""Seconds in which a new process says that it is ready; it takes a fraction of one on a machine that is not busy."""

_STEP = 256 << 10
"""Octets that are handed over at once."""

_MODULE = "gateway.evidence.content.worker"


class ChildDied(Exception):
    """The process ended, or said what no reader says."""


class Child:
    """A process that is ready to read. Made by `start`; `kill` it in the end, whatever happened."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.retired = False

    @classmethod
    async def start(cls, bounds: Bounds) -> Child:
        """Start a process and wait until it is ready; raises ChildDied, OSError."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-B", "-m", _MODULE, str(bounds.memory_octets)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        child = cls(process)
        try:
            async with asyncio.timeout(START_S):
                await child._hear()
        except BaseException as error:
            await child.kill()
            if isinstance(error, TimeoutError):
                raise ChildDied("not ready in time") from error
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Tell whether the process is known to be gone."""
        return self._process.returncode is not None

    async def ask(self, raw: bytes, local_parts: Iterable[str], bounds: Bounds) -> AsyncIterator[Told]:
        """Hand over a mail and yield what is told, up to `Done`; raises ChildDied."""
        request = orjson.dumps({"bounds": asdict(bounds), "local_parts": list(local_parts)})
        try:
            await self._say(request)
            await self._say(raw)
        except (ConnectionError, OSError) as error:
            raise ChildDied("gone") from error
        while True:
            told = await self._hear()
            if isinstance(told, Done):
                self.retired = told.retires
                return
            yield told

    async def kill(self) -> None:
        """End the process at once and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    async def _say(self, octets: bytes) -> None:
        writer = self._process.stdin
        if writer is None:
            raise ChildDied("no pipe")
        writer.write(LENGTH.pack(len(octets)))
        view = memoryview(octets)
        for at in range(0, len(octets), _STEP):
            writer.write(view[at : at + _STEP])
            await writer.drain()

    async def _hear(self) -> Told:
        reader = self._process.stdout
        if reader is None:
            raise ChildDied("no pipe")
        try:
            octets = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
            if octets > MAX_OCTETS:
                raise ChildDied("said too much")
            return from_octets(await reader.readexactly(octets))
        except asyncio.IncompleteReadError as error:
            raise ChildDied("gone") from error
        except ValueError as error:
            raise ChildDied("said nonsense") from error
