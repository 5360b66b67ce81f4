"""A checker that shares no code with what it checks: the standard library and plain substring search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.errors import HeaderParseError
from email.header import decode_header

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def fields(header: bytes) -> list[tuple[str, bytes]]:
    """Cut a header section at line ends that no white space follows: (name in lower case, raw)."""
    raws = re.split(rb"(?<=\r\n)(?![ \t])", header.removesuffix(b"\r\n"))
    return [(raw.partition(b":")[0].strip().lower().decode("latin-1"), raw) for raw in raws if raw]


def leaks(header: bytes, hidden: Iterable[str]) -> list[tuple[str, bytes]]:
    """Return (address, field) for every hidden address that stands in a field, raw, unfolded or decoded."""
    addresses = [address.lower() for address in hidden]
    return [
        (address, raw)
        for _, raw in fields(header)
        for text in texts(raw)
        for address in addresses
        if address in text
    ]


def addresses(raw: bytes) -> set[str]:
    """Return what looks like an address in a field, by one plain regular expression."""
    return {match.strip(".'").lower() for text in texts(raw) for match in _ADDRESS.findall(text)}


def texts(raw: bytes) -> Iterator[str]:
    yield raw.decode("utf-8", "replace").lower()
    unfolded = _FOLD.sub(b"", raw)
    yield unfolded.decode("utf-8", "replace").lower()
    yield from _decoded(unfolded.decode("latin-1"))


def _decoded(text: str) -> Iterator[str]:
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError):
        return
    joined = b"".join(
        piece if isinstance(piece, bytes) else piece.encode("latin-1", "replace") for piece, _ in pieces
    )
    yield joined.decode("utf-8", "replace").lower()
