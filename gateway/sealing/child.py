"""A process that seals, seen from the gateway. What it says is checked (told.py), and bounded."""

from __future__ import annotations

from gateway.confined.process import ChildDied, Process
from gateway.policy.handling import Seen
from gateway.sealing.bounds import MAX_CHUNK, MAX_TOLD, most_written
from gateway.sealing.order import Order
from gateway.sealing.told import (
    CHUNK,
    DONE,
    DONE_FOR_GOOD,
    READY,
    REFUSED,
    SEEN,
    seen_from,
    why_from,
)

_MODULE = "gateway.sealing.worker"
_LOOK = b""


class NotWritten(Exception):
    """The mail could not be written; `why` is one of NOT_WRITTEN (told.py), or busy, broken, died, too-slow.

    `temporary` tells whether it may go otherwise the next time.
    """

    def __init__(self, why: str, *, temporary: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.temporary = temporary


def _believable(made: bytes, raw: bytes, order: Order) -> bytes:
    """Return the mail that was written; raises ChildDied where it is none, or the very one that was to be changed."""
    if not made or (order.forms and made == raw):
        raise ChildDied("said nonsense")
    return made


class Child(Process):
    """A process that is ready to seal. Made by `start`; `kill` it in the end, whatever happened."""

    @classmethod
    async def start(cls, memory_octets: int) -> Child:
        """Start a process and wait until it is ready; raises ChildDied, OSError."""
        return await cls.started(_MODULE, memory_octets, READY)

    async def look(self, raw: bytes) -> Seen:
        """Return the files of a mail; raises ChildDied."""
        await self.say(_LOOK, raw)
        kind, octets = await self._heard(MAX_TOLD)
        try:
            seen = seen_from(octets) if kind == SEEN else None
        except ValueError as error:
            raise ChildDied("said nonsense") from error
        if seen is None:
            raise ChildDied("said nonsense")
        await self._end()
        return seen

    async def write(self, raw: bytes, order: Order) -> bytes:
        """Return a mail written as the order says; raises NotWritten, after which the process is well, and ChildDied."""
        await self.say(order.to_octets(), raw)
        pieces: list[bytes] = []
        left = most_written(len(raw))
        while True:
            kind, octets = await self._heard(MAX_CHUNK)
            if kind == CHUNK:
                left -= len(octets)
                pieces.append(octets)
            if left < 0:
                raise ChildDied("said too much")
            if kind == REFUSED:
                await self._refused(octets)
            if kind in (DONE, DONE_FOR_GOOD):
                self.retired = kind == DONE_FOR_GOOD
                return _believable(b"".join(pieces), raw, order)

    async def _refused(self, octets: bytes) -> None:
        try:
            why = why_from(octets)
        except ValueError as error:
            raise ChildDied("said nonsense") from error
        await self._end()
        raise NotWritten(why, temporary=why == "failed")

    async def _end(self) -> None:
        kind, _ = await self._heard(0)
        if kind not in (DONE, DONE_FOR_GOOD):
            raise ChildDied("said nonsense")
        self.retired = kind == DONE_FOR_GOOD

    async def _heard(self, at_most: int) -> tuple[bytes, bytes]:
        frame = await self.hear(at_most + 1)
        kind = frame[:1]
        if kind not in (SEEN, CHUNK, REFUSED, DONE, DONE_FOR_GOOD):
            raise ChildDied("said nonsense")
        return kind, frame[1:]
