"""The message as it goes over the wire after DATA: dot-stuffed, in chunks, closed by CRLF.CRLF (RFC 5321
4.5.2).

Works in linear time and holds one chunk at a time. It is also the last guard against SMTP smuggling: an octet
sequence in which CR and LF do not come in pairs, or a NUL, raises `UncleanContent` before its chunk leaves. Intake
refuses such mail, so this is a fault of ours. The body that copies share is checked and stuffed once for all of them
if it is no larger than a chunk; the header of each copy is checked each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

from gateway.delivery.errors import UncleanContent

CHUNK = 256 * 1024
"""Octets of one write: large enough that the loop is not busy with calls, small enough not to fill memory."""

END = b".\r\n"

Stuffed = NewType("Stuffed", bytes)
"""A whole body as it goes over the wire behind a header that ends with CRLF: checked, stuffed, with the end of data."""


def stuffed(body: memoryview) -> Stuffed | None:
    """Return the body for the copies that share it; None if it is larger than a chunk. Raises UncleanContent."""
    if body.nbytes > CHUNK:
        return None
    octets = bytes(body)
    _check(octets)
    return Stuffed(_closed(_stuff(octets, True), not octets or octets.endswith(b"\r\n")))


def wire(header: bytes, body: memoryview, ready: Stuffed | None = None) -> Iterable[bytes]:
    """Return the stuffed message in chunks, the end of data with the last one; raises UncleanContent.

    `ready` is what `stuffed` made of this body, where the caller has it.
    """
    if ready is not None and header.endswith(b"\r\n"):
        _check(header)
        return (_stuff(header, True) + ready,)
    return _in_chunks(header, body)


def _in_chunks(header: bytes, body: memoryview) -> Iterator[bytes]:
    at_line_start = True
    for chunk, last in _chunks(header, body):
        _check(chunk)
        octets = _stuff(chunk, at_line_start)
        at_line_start = chunk.endswith(b"\r\n") if chunk else at_line_start
        yield _closed(octets, at_line_start) if last else octets


def _chunks(header: bytes, body: memoryview) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces that never part a CR from its LF; the header goes with the first piece of the body."""
    start, size = 0, body.nbytes
    head = header
    while True:
        end = _cut(body, start + CHUNK, size)
        piece = b"".join((head, body[start:end]))
        yield piece, end >= size
        if end >= size:
            return
        head, start = b"", end


def _cut(body: memoryview, end: int, size: int) -> int:
    if end >= size:
        return size
    return end + 1 if body[end - 1] == 0x0D else end


def _closed(octets: bytes, at_line_start: bool) -> bytes:
    return octets + (END if at_line_start else b"\r\n" + END)


def _check(chunk: bytes) -> None:
    pairs = chunk.count(b"\r\n")
    if chunk.count(b"\n") != pairs or chunk.count(b"\r") != pairs:
        raise UncleanContent(
            "a bare CR or LF in the message; nothing but CRLF may end a line (RFC 5321 2.3.8)"
        )
    if b"\0" in chunk:
        raise UncleanContent("a NUL octet in the message; a hop that drops it would see other lines")


def _stuff(chunk: bytes, at_line_start: bool) -> bytes:
    stuffed = chunk.replace(b"\r\n.", b"\r\n..") if b"\r\n." in chunk else chunk
    return b"." + stuffed if at_line_start and chunk.startswith(b".") else stuffed
