"""Octets over a pipe, each piece behind its length (four octets, big-endian). The side of the confined process."""

from __future__ import annotations

import os
import struct

LENGTH = struct.Struct(">I")
_STEP = 1 << 20


def read_frame(descriptor: int) -> bytes | None:
    """Read one piece; None where the other side has gone."""
    head = _read(descriptor, LENGTH.size)
    return None if head is None else _read(descriptor, LENGTH.unpack(head)[0])


def write_frame(descriptor: int, octets: bytes) -> None:
    """Write one piece; raises BrokenPipeError where the other side has gone."""
    left = memoryview(LENGTH.pack(len(octets)) + octets)
    while left:
        left = left[os.write(descriptor, left) :]


def _read(descriptor: int, octets: int) -> bytes | None:
    pieces: list[bytes] = []
    while octets:
        piece = os.read(descriptor, min(octets, _STEP))
        if not piece:
            return None
        pieces.append(piece)
        octets -= len(piece)
    return b"".join(pieces)
