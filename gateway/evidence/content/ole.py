"""Compound files (MS-CFB): the container of Office documents before 2007, of encrypted ones since, and of Outlook's .msg.

Promise: every chain is walked at most as far as the file has sectors, whatever it says. Raises Unread("damaged") only.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.evidence.content.gathering import Unread

MAX_ENTRIES = 50_000
"""Directory entries that are read; a .msg with a hundred attachments has some five thousand."""

_END_OF_CHAIN = 0xFFFFFFFE
_NO_ENTRY = 0xFFFFFFFF
_HEADER_OCTETS, _IN_HEADER = 512, 109
_ENTRY_OCTETS = 128
_STORAGE, _STREAM, _ROOT = 1, 2, 5


class Entry(NamedTuple):
    """A stream or storage: its path with `/` between names, whether it is a stream, where it begins, and its size."""

    path: str
    is_stream: bool
    start: int
    octets: int


class Compound:
    """One compound file. `entries` are in the order of a walk through the storages."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        if len(octets) < _HEADER_OCTETS:
            raise Unread("damaged")
        shift, small_shift = struct.unpack_from("<HH", octets, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise Unread("damaged")
        self._sector = 1 << shift
        directory, _, self._cutoff, small_table, _, more, _ = struct.unpack_from("<7I", octets, 48)
        self._table = self._allocation(more)
        self._small_table = _numbers(self._chain(small_table))
        self._drafts = self._read_directory(directory)
        root = self._drafts[0] if self._drafts else None
        self._small = self._chain(root[4]) if root else b""
        self.entries = self._walk()
        self._by_path = {entry.path: entry for entry in self.entries}

    def find(self, path: str) -> Entry | None:
        return self._by_path.get(path)

    def stream(self, entry: Entry) -> bytes:
        """Return the octets of a stream; fewer where the file is cut."""
        if entry.octets < self._cutoff:
            return self._small_chain(entry.start)[: entry.octets]
        return self._chain(entry.start)[: entry.octets]

    def _allocation(self, more: int) -> tuple[int, ...]:
        """Read the sector allocation table by way of its own table, the first part of which is in the header."""
        sectors = list(struct.unpack_from(f"<{_IN_HEADER}I", self._octets, 76))
        seen: set[int] = set()
        while more < _END_OF_CHAIN - 4 and more not in seen:
            seen.add(more)
            numbers = _numbers(self._at(more))
            if not numbers:
                break
            sectors += numbers[:-1]
            more = numbers[-1]
        distinct = dict.fromkeys(number for number in sectors if number < _END_OF_CHAIN - 4)
        return _numbers(b"".join([self._at(number) for number in distinct]))

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        return self._octets[start : start + self._sector]

    def _chain(self, start: int) -> bytes:
        pieces: list[bytes] = []
        seen: set[int] = set()
        while start < len(self._table) and start not in seen:
            seen.add(start)
            pieces.append(self._at(start))
            start = self._table[start]
        return b"".join(pieces)

    def _small_chain(self, start: int) -> bytes:
        pieces: list[bytes] = []
        seen: set[int] = set()
        while start < len(self._small_table) and start not in seen:
            seen.add(start)
            pieces.append(self._small[start * 64 : start * 64 + 64])
            start = self._small_table[start]
        return b"".join(pieces)

    def _read_directory(self, start: int) -> list[tuple[str, int, int, int, int, int, int]]:
        """Return name, kind, left, right, first sector, size and child of every entry."""
        octets = self._chain(start)[: MAX_ENTRIES * _ENTRY_OCTETS]
        drafts = []
        for at in range(0, len(octets) - _ENTRY_OCTETS + 1, _ENTRY_OCTETS):
            length = min(struct.unpack_from("<H", octets, at + 64)[0], 64)
            name = octets[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", octets, at + 68)
            first, size = struct.unpack_from("<II", octets, at + 116)
            drafts.append((name, octets[at + 66], left, right, first, size, child))
        if not drafts or drafts[0][1] != _ROOT:
            raise Unread("damaged")
        return drafts

    def _walk(self) -> list[Entry]:
        entries: list[Entry] = []
        todo = [(self._drafts[0][6], "")]
        seen: set[int] = set()
        while todo:
            number, folder = todo.pop()
            if number >= len(self._drafts) or number in seen:
                continue
            seen.add(number)
            name, kind, left, right, first, size, child = self._drafts[number]
            todo += [(left, folder), (right, folder)]
            if kind in (_STREAM, _STORAGE):
                path = f"{folder}{name}"[:1_000]
                entries.append(Entry(path, kind == _STREAM, first, size))
                todo.append((child if kind == _STORAGE else _NO_ENTRY, f"{path}/"))
        return entries


def _numbers(octets: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(octets) // 4}I", octets[: len(octets) & ~3])
