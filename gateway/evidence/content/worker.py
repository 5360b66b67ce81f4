"""The process that reads mails: `python -m gateway.evidence.content.worker MEMORY_OCTETS`, fed and heard over its pipes.

It takes one mail after the other, tells each piece as it is done, and keeps nothing of a mail once it is through. A piece
that takes longer than its share of the time is interrupted and the next one is read; a parser that cannot be interrupted is
for the parent, which kills this process.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

import orjson

from gateway.confined.begin import IN, OUT, begin
from gateway.confined.frames import read_frame, write_frame
from gateway.confined.limits import Memory, allow_processor_time
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.gathering import TooSlow
from gateway.evidence.content.mail import Letter, read_letter
from gateway.evidence.content.told import Done, to_octets

MOST_MAILS = 1_000
"""Mails that one process reads before another takes its place: what leaks in a parser goes with it."""

_LARGE = 1 << 20
"""Octets of a mail behind which memory is put in order at once; the interpreter does so now and then by itself."""

_RANDOM = "/dev/urandom"
"""What qpdf opens before it opens a PDF that has a password."""

_AGAIN_S = 0.1
"""Seconds after which an interruption is repeated: a parser may swallow the first one."""


class Clock:
    """Shares the time for one mail among its pieces: each gets half of what is left, the last one all."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._armed = False
        signal.signal(signal.SIGALRM, self._ring)

    def share(self, pieces: int) -> AbstractContextManager[None]:
        """Return a context that is interrupted by TooSlow when the share of the next of so many pieces is used up."""
        left = max(self._end - time.monotonic(), 0.001)
        return self._within(left if pieces <= 1 else left / 2)

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
        try:
            yield
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise TooSlow


def main() -> int:
    """Read mails until the parent has gone."""
    memory = begin(to_octets(Done()), [_RANDOM])
    for number in range(MOST_MAILS):
        request = read_frame(IN)
        raw = read_frame(IN) if request is not None else None
        if request is None or raw is None:
            return 0
        retires = _serve(request, raw, memory, last=number == MOST_MAILS - 1)
        if retires:
            return 0
    return 0


def _serve(request: bytes, raw: bytes, memory: Memory, *, last: bool) -> bool:
    """Read one mail and tell what is in it; return whether the process ends after it."""
    wanted = orjson.loads(request)
    bounds = Bounds(**wanted["bounds"])
    allow_processor_time(bounds.seconds)
    clock = Clock(bounds.seconds)
    for told in read_letter(Letter.of(raw, wanted["local_parts"]), bounds, clock.share):
        write_frame(OUT, to_octets(told))
    if len(raw) > _LARGE:
        gc.collect()
    retires = last or memory.octets() > bounds.memory_octets // 2
    write_frame(OUT, to_octets(Done(retires)))
    return retires


if __name__ == "__main__":
    sys.exit(main())
