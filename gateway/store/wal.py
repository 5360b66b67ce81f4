"""Tells a WAL that ends in the middle of a commit, which a crash leaves, from one that is damaged in the middle.

After a crash SQLite takes a WAL up to the first frame whose checksum is wrong and drops the rest without a word. A torn end
was never acknowledged. But where a whole commit, and a frame that was chained to it, follow a wrong one, that commit was
synced and acknowledged: dropping it would lose mail in silence. Reads only. https://www.sqlite.org/fileformat.html 4.1, 4.2
"""

from __future__ import annotations

import array
import os
import struct
import sys
import time
from itertools import pairwise
from pathlib import Path

LOOKS, PAUSE_S = 20, 0.05  # at a WAL that seems damaged, and between two of them
_HEADER, _FRAME = 32, 24  # octets before the first frame, and before each page
_MAGIC_LITTLE, _MAGIC_BIG = 0x377F0682, 0x377F0683
_MASK = 0xFFFFFFFF


def damaged_in_the_middle(wal: Path) -> int:
    """Return how many acknowledged commits a recovery of this WAL would drop; 0 where it is whole or merely torn.

    Another process (a worker, a command) may be writing it at this moment, and what is read then may be torn anywhere. What is
    damaged is so at the same place again.
    """
    lost, place = _lost(wal)
    for _ in range(LOOKS):
        if not lost:
            break
        before = place
        time.sleep(PAUSE_S)
        lost, place = _lost(wal)
        if place == before:
            break
    return lost


def _lost(wal: Path) -> tuple[int, int]:
    """Return how many acknowledged commits stand behind the first wrong frame, and which frame that is."""
    octets = wal.read_bytes() if wal.exists() else b""
    if len(octets) <= _HEADER:
        return 0, 0
    magic, _, page, _, *_ = struct.unpack_from(">8I", octets)
    if magic not in (_MAGIC_LITTLE, _MAGIC_BIG) or not 512 <= page <= 65_536:
        return 0, 0
    order = "little" if magic == _MAGIC_LITTLE else "big"
    frames = range(_HEADER, len(octets) - _FRAME - page + 1, _FRAME + page)
    whole = _whole(octets, frames, page, order)
    # A transaction is chained to another only once that is committed. Behind the end of a WAL in use there may be whole
    # commits of processes that were killed before they counted: others write over them, and nothing is chained to them.
    commits = [
        at
        for at, behind in pairwise(frames[whole:])
        if struct.unpack_from(">I", octets, at + 4)[0]
        and octets[at + 8 : at + 16] == octets[16:24]
        and _is_right(octets, behind, struct.unpack_from(">2I", octets, at + 16), page, order)
    ]
    return len(commits), whole


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
    sums = struct.unpack_from(">2I", octets, 24)
    if sums != _sum(octets[:24], (0, 0), order):
        return 0
    for number, at in enumerate(frames):
        if not _is_right(octets, at, sums, page, order):
            return number
        sums = struct.unpack_from(">2I", octets, at + 16)
    return len(frames)


def _is_right(octets: bytes, at: int, before: tuple[int, int], page: int, order: str) -> bool:
    """Tell whether a frame is as its checksum says, which goes on from that of the frame before, and of this WAL."""
    sums = _sum(octets[at : at + 8], before, order)
    sums = _sum(octets[at + _FRAME : at + _FRAME + page], sums, order)
    return octets[at + 8 : at + 16] == octets[16:24] and sums == struct.unpack_from(">2I", octets, at + 16)


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
