"""What part of a file a request asks for (RFC 9110 14). Pure.

One range is understood. What is malformed, in another unit or in several pieces is no range to us, as 14.2 allows: the whole
file is the answer. Numbers may have any size; none is turned into a number that is longer than a file can be.
"""

from __future__ import annotations

import re

from gateway.values import dataclass

_ONE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))", re.IGNORECASE)
_MAX_DIGITS = 18  # beyond any file


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets from `start` up to, not with, `end`; `whole` where nobody asked for less."""

    start: int
    end: int
    whole: bool = False

    @property
    def octets(self) -> int:
        return self.end - self.start


class NotSatisfiable(Exception):
    """The range begins behind the end of the file (RFC 9110 15.5.17)."""


def piece(asked: str | None, condition: str | None, etag: str, size: int) -> Piece:
    """Return what to send for the fields Range and If-Range; raises NotSatisfiable.

    A condition that is not our tag, a date too, asks for the whole file (RFC 9110 13.1.5).
    """
    whole = Piece(0, size, whole=True)
    if asked is None or (condition is not None and condition.strip() != etag):
        return whole
    found = _ONE.fullmatch(asked.strip())
    if found is None:
        return whole
    first, last, suffix = found.groups()
    if suffix is not None:
        return _suffix(_number(suffix), size)
    if last and _number(last) < _number(first):
        return whole  # RFC 9110 14.1.1: invalid
    start = _number(first)
    if start >= size:
        raise NotSatisfiable
    return Piece(start, min(_number(last) + 1, size) if last else size)


def _suffix(length: int, size: int) -> Piece:
    if not length or not size:
        raise NotSatisfiable
    return Piece(max(0, size - length), size)


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS
