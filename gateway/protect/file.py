"""A file to be protected, and a file that is: a name, and octets that can be read in chunks, again from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from gateway.values import dataclass

CHUNK = 64 << 10
"""Octets that are worked on at a time: fits a processor's cache, and is what memory use is counted in."""

Entropy = Callable[[int], bytes]
"""Gives so many random octets; `secrets.token_bytes` where it matters, a fixed row in tests."""

Read = Callable[[], Iterable[bytes]]
"""Gives the octets from the beginning, in chunks, each time it is called."""


IN_MEMORY = 4 << 20
"""Octets of one sealed file that wait in memory; more go to a temporary file."""

Room = Callable[[], IO[bytes]]
"""Gives a place where sealed octets wait until their number is known."""


def spooled() -> IO[bytes]:
    """Return a place that is on a disk where it has to be; a process that may write no file takes BytesIO."""
    return SpooledTemporaryFile(max_size=IN_MEMORY)


@dataclass(frozen=True, slots=True)
class File:
    """A file by the name that people see; `read` may be called more than once and gives the same octets each time."""

    name: str
    read: Read

    @classmethod
    def of(cls, name: str, octets: bytes) -> File:
        """Make a file of octets that are in memory; nothing is copied before it is read."""
        return cls(name, lambda: pieces(octets))

    def octets(self, at_most: int) -> bytes | None:
        """Return the whole file, None where it is larger."""
        held: list[bytes] = []
        left = at_most
        for chunk in self.read():
            left -= len(chunk)
            if left < 0:
                return None
            held.append(chunk)
        return b"".join(held)


def pieces(octets: bytes) -> Iterator[bytes]:
    """Cut octets into chunks."""
    view = memoryview(octets)
    for at in range(0, len(view), CHUNK):
        yield bytes(view[at : at + CHUNK])
