"""The octets of a file inside a mail, read in chunks, or a word for why nobody can say what they are.

Programs differ in what they make of base64 with foreign characters in it, and of a broken quoted-printable escape: one shows
a file, another a different one. What is protected has to be what every reader would have got, so such a part is refused.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from gateway.message.mime import Part

CHUNK = 64 << 10
"""Octets of the mail that are decoded at a time."""

_SPACE = b" \t\r\n"
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r\n|\Z)")


class Undecodable(ValueError):
    """A part whose encoding is broken; `reason` is `bad-base64` or `bad-quoted-printable`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def content_of(raw: bytes, part: Part) -> Iterator[bytes]:
    """Yield the decoded octets of a part; raises Undecodable, also half-way."""
    if part.encoding == "base64":
        return _base64(raw, part.body_at, part.end)
    if part.encoding == "quoted-printable":
        return _quoted_printable(raw, part.body_at, part.end)
    return _plain(raw, part.body_at, part.end)


def _plain(raw: bytes, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        yield raw[at : min(at + CHUNK, end)]


def _base64(raw: bytes, start: int, end: int) -> Iterator[bytes]:
    left, closed = b"", False
    for at in range(start, end, CHUNK):
        digits = left + raw[at : min(at + CHUNK, end)].translate(None, _SPACE)
        if closed and digits:
            raise Undecodable("bad-base64")  # something stands behind the padding
        whole = len(digits) - len(digits) % 4
        left = digits[whole:]
        closed = digits.endswith(b"=", 0, whole) if whole else closed
        yield _from_base64(digits[:whole])
    if left:
        if closed or len(left) == 1:
            raise Undecodable("bad-base64")
        yield _from_base64(
            left.rstrip(b"=") + b"=" * (4 - len(left.rstrip(b"=")))
        )  # writers forget the padding


def _from_base64(digits: bytes) -> bytes:
    try:
        return binascii.a2b_base64(digits, strict_mode=True)
    except binascii.Error as error:
        raise Undecodable("bad-base64") from error


def _quoted_printable(raw: bytes, start: int, end: int) -> Iterator[bytes]:
    """Decode whole lines, because an escape may end one."""
    at = start
    while at < end:
        line_end = raw.find(b"\n", min(at + CHUNK, end), end) + 1 or end
        lines = raw[at:line_end]
        if _BAD_ESCAPE.search(lines):
            raise Undecodable("bad-quoted-printable")
        yield binascii.a2b_qp(lines)
        at = line_end
