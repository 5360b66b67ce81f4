"""Tells a WAL that ends in the middle of a commit, which a crash leaves, from one that is damaged in the middle.

After a crash SQLite takes a WAL up to the first frame whose checksum is wrong and drops the rest without a word. A torn end
was never acknowledged. But where a whole commit, and another frame behind it, follow a wrong one, that commit was synced and
acknowledged: dropping it would lose mail in silence. https://www.sqlite.org/fileformat.html 4.1 and 4.2. Reads only.
"""

from __future__ import annotations

import array
import os
import struct
import sys
from pathlib import Path

_HEADER, _FRAME = 32, 24  # octets before the first frame, and before each page
_MAGIC_LITTLE, _MAGIC_BIG = 0x377F0682, 0x377F0683
_MASK = 0xFFFFFFFF


def damaged_in_the_middle(wal: Path) -> int:
    """Return how many acknowledged commits a recovery of this WAL would drop; 0 where it is whole or merely torn."""
    octets = wal.read_bytes() if wal.exists() else b""
    if len(octets) <= _HEADER:
        return 0
    magic, _, page, _, *_ = struct.unpack_from(">8I", octets)
    if magic not in (_MAGIC_LITTLE, _MAGIC_BIG) or not 512 <= page <= 65_536:
        return 0
    frames = range(_HEADER, len(octets) - _FRAME - page + 1, _FRAME + page)
    whole = _whole(octets, frames, page, "little" if magic == _MAGIC_LITTLE else "big")
    salt = octets[16:24]
    ours = [at for at in frames[whole:] if octets[at + 8 : at + 16] == salt]
    commits = [at for at in ours if struct.unpack_from(">I", octets, at + 4)[0]]
    return sum(at < ours[-1] for at in commits)  # the last commit of all may be the one that the crash tore


def reaches(wal: Path, frames: int) -> bool:
    """Tell whether the WAL in use has so many frames; what lies behind its end are frames of an earlier one, salted otherwise.

    The file is never locked, so opening and closing it disturbs nobody (as it would for the database). Raises OSError.
    """
    try:
        handle = os.open(wal, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        header = os.pread(handle, _HEADER, 0)
        if len(header) < _HEADER:
            return False
        last = _HEADER + (frames - 1) * (_FRAME + int.from_bytes(header[8:12]))
        return os.pread(handle, 8, last + 8) == header[16:24]
    finally:
        os.close(handle)


def _whole(octets: bytes, frames: range, page: int, order: str) -> int:
    """Return how many frames at the beginning are as their checksums say."""
    sums = _sum(octets[:24], (0, 0), order)
    if sums != struct.unpack_from(">2I", octets, 24):
        return 0
    for number, at in enumerate(frames):
        sums = _sum(octets[at : at + 8], sums, order)
        sums = _sum(octets[at + _FRAME : at + _FRAME + page], sums, order)
        if octets[at + 8 : at + 16] != octets[16:24] or sums != struct.unpack_from(">2I", octets, at + 16):
            return number
    return len(frames)


def _sum(octets: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    words = array.array("I", octets)
    if order != sys.byteorder:
        words.byteswap()
    one, two = sums
    numbers = iter(words)
    for first, second in zip(numbers, numbers, strict=True):
        one = (one + first + two) & _MASK
        two = (two + second + one) & _MASK
    return one, two
