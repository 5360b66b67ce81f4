"""A mail with places of it written anew: what is not cut leaves octet for octet as it came.

The one mechanism for whatever changes the inside of a mail (attachments that are protected, texts that are added): who changes
something says from where to where, and what stands there instead. Large replacements are made while they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

CHUNK = 256 << 10
"""Octets of the original that are given out at a time."""


class Cut(NamedTuple):
    """Octets from `start` up to `end` give way to what `write` gives, each time anew; an insertion where both are one."""

    start: int
    end: int
    write: Callable[[], Iterable[bytes]]


def cut(start: int, end: int, octets: bytes = b"") -> Cut:
    """Make a cut with octets that are known; without them what was there is left out."""
    return Cut(start, end, lambda: (octets,) if octets else ())


def spliced(raw: bytes, cuts: Sequence[Cut]) -> Iterator[bytes]:
    """Return the chunks of the mail with all cuts made, in whatever order they are given; insertions at one place in theirs.

    Raises ValueError, before the first chunk, where two cuts overlap or one is outside of the mail.
    """
    ordered = sorted(cuts, key=lambda each: (each.start, each.end))
    at = 0
    for each in ordered:
        if not at <= each.start <= each.end <= len(raw):
            raise ValueError(f"cuts overlap at {each.start}")
        at = each.end
    return _joined(raw, ordered)


def _joined(raw: bytes, ordered: Sequence[Cut]) -> Iterator[bytes]:
    at = 0
    for each in ordered:
        yield from _kept(raw, at, each.start)
        yield from each.write()
        at = each.end
    yield from _kept(raw, at, len(raw))


def _kept(raw: bytes, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        yield raw[at : min(at + CHUNK, end)]
