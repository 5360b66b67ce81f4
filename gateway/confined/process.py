"""One confined process, seen from the gateway: started clean, talked to over two pipes, and killed by its id.

It inherits nothing: no environment, no descriptor but its pipes, no directory, no terminal. What it says is octets that nobody
believes yet: whoever asks checks them. After any answer that is not whole it is killed, never asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Self

from gateway.confined.frames import LENGTH

START_S = 20.0
"""Seconds in which a new process says that it is ready; it takes a fraction of one on a machine that is not busy."""

_STEP = 256 << 10
"""Octets that are handed over at once."""


class ChildDied(Exception):
    """The process ended, or said what none of its kind says."""


class Process:
    """A process that is ready. Each kind adds what it is asked; `kill` it in the end, whatever happened."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.retired = False

    @classmethod
    async def started(cls, module: str, memory_octets: int, ready: bytes) -> Self:
        """Run a module and wait until it says `ready`; raises ChildDied, OSError."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-B", "-m", module, str(memory_octets)),
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
                if await child.hear(len(ready)) != ready:
                    raise ChildDied("said nonsense")
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

    async def kill(self) -> None:
        """End the process at once and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    async def say(self, *pieces: bytes) -> None:
        """Hand over pieces, each behind its length; raises ChildDied."""
        writer = self._process.stdin
        if writer is None:
            raise ChildDied("no pipe")
        try:
            for octets in pieces:
                writer.write(LENGTH.pack(len(octets)))
                view = memoryview(octets)
                for at in range(0, len(octets), _STEP):
                    writer.write(view[at : at + _STEP])
                    await writer.drain()
        except OSError as error:
            raise ChildDied("gone") from error

    async def hear(self, at_most: int) -> bytes:
        """Return the next piece; raises ChildDied, also where it is longer than `at_most` octets."""
        reader = self._process.stdout
        if reader is None:
            raise ChildDied("no pipe")
        try:
            octets = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
            if octets > at_most:
                raise ChildDied("said too much")
            return await reader.readexactly(octets)
        except asyncio.IncompleteReadError as error:
            raise ChildDied("gone") from error
