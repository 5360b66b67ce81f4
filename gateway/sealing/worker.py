"""The process that seals: `python -m gateway.sealing.worker MEMORY_OCTETS`, fed and heard over its pipes.

It takes one mail after the other, and keeps nothing of a mail or a key once it is through. Randomness is the system's. It can
write no file (confined/limits.py), so what waits for its size waits in memory.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable

from gateway.confined.begin import IN, OUT, begin
from gateway.confined.frames import read_frame, write_frame
from gateway.confined.limits import Memory, allow_processor_time
from gateway.sealing.bounds import MAX_CHUNK, MOST_MAILS, seconds_to_look, seconds_to_write
from gateway.sealing.looking import seen_in
from gateway.sealing.order import Order
from gateway.sealing.told import CHUNK, DONE, DONE_FOR_GOOD, READY, REFUSED, SEEN, seen_to
from gateway.sealing.writing import Unwritable, written

_RANDOM = "/dev/urandom"
"""Where qpdf gets its random octets from; all else asks the kernel without opening anything."""


def main() -> int:
    """Work until the parent has gone, or as many mails were worked on as one process may."""
    limit = int(sys.argv[1])
    memory = begin(READY, [_RANDOM])
    for number in range(MOST_MAILS):
        request = read_frame(IN)
        raw = read_frame(IN) if request is not None else None
        if request is None or raw is None:
            return 0
        _answer(request, raw)
        del raw, request
        gc.collect()
        if number == MOST_MAILS - 1 or _is_large(memory, limit):
            write_frame(OUT, DONE_FOR_GOOD)
            return 0
        write_frame(OUT, DONE)
    return 0


def _is_large(memory: Memory, limit: int) -> bool:
    return memory.octets() > limit // 2


def _answer(request: bytes, raw: bytes) -> None:
    if not request:
        allow_processor_time(seconds_to_look(len(raw)))
        write_frame(OUT, SEEN + seen_to(seen_in(raw)))
        return
    allow_processor_time(seconds_to_write(len(raw)))
    try:
        _say(written(raw, Order.from_octets(request), os.urandom))
    except Unwritable as unwritable:
        write_frame(OUT, REFUSED + unwritable.why.encode())
    except Exception:  # of a parser, or for want of memory; what it was about stays here
        write_frame(OUT, REFUSED + b"failed")


def _say(chunks: Iterable[bytes]) -> None:
    """Hand octets over in pieces of about MAX_CHUNK: those of the writer are far smaller, or far larger."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= MAX_CHUNK:
            write_frame(OUT, CHUNK + held[:MAX_CHUNK])
            del held[:MAX_CHUNK]
    write_frame(OUT, CHUNK + held)


if __name__ == "__main__":
    sys.exit(main())
