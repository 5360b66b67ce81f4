"""An encrypted document as an OLE file ([MS-CFB] 2), written from the front, the large stream while it is made.

The shape never differs but in length: one large stream, and five small ones in the mini stream behind it, so that what is
known last (the check sum in EncryptionInfo) is written last. The folders are those that [MS-OFFCRYPTO] 2.1 asks for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

SECTOR = 512
MIN_LARGE = 4096
"""Octets of the large stream at least: shorter ones would have to be in the mini stream (2.2, cutoff)."""

_MINI = 64
_PER_SECTOR = SECTOR // 4
_IN_HEADER = 109
_END, _FREE, _IS_FAT, _IS_DIFAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC
_NOBODY = 0xFFFFFFFF
_RED, _BLACK = 0, 1
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MINI_FAT_SECTORS = 1


def _text(value: str) -> bytes:
    """Write UNICODE-LP-P4 ([MS-OFFCRYPTO] 2.1.2): the length in octets, the text, and zeros up to four octets."""
    octets = value.encode("utf-16-le")
    return struct.pack("<I", len(octets)) + octets + bytes(-len(octets) % 4)


_VERSIONS = struct.pack("<6H", 1, 0, 1, 0, 1, 0)
_SPACE, _TRANSFORM = "StrongEncryptionDataSpace", "StrongEncryptionTransform"
_MAP_ENTRY = struct.pack("<II", 1, 0) + _text("EncryptedPackage") + _text(_SPACE)
_TRANSFORM_ID = struct.pack("<I", 1) + _text("{FF9A3F03-56EF-4613-BDD5-5A41C1D07246}")
_SMALL = {
    "Version": _text("Microsoft.Container.DataSpaces") + _VERSIONS,
    "DataSpaceMap": struct.pack("<III", 8, 1, len(_MAP_ENTRY) + 4) + _MAP_ENTRY,
    _SPACE: struct.pack("<II", 8, 1) + _text(_TRANSFORM),
    "\x06Primary": struct.pack("<I", len(_TRANSFORM_ID) + 4)
    + _TRANSFORM_ID
    + _text("Microsoft.Container.EncryptionTransform")
    + _VERSIONS
    + struct.pack("<IIII", 0, 0, 0, 4),
}
"""The small streams that say nothing new, by name ([MS-OFFCRYPTO] 2.1.5 to 2.1.9)."""


class _Entry(NamedTuple):
    """A directory entry, with the places of its siblings and its first child: a search tree by length of name (2.6.4)."""

    name: str
    kind: int
    left: int = _NOBODY
    right: int = _NOBODY
    child: int = _NOBODY
    colour: int = _BLACK


_ENTRIES = (
    _Entry("Root Entry", _ROOT, child=2),
    _Entry("\x06DataSpaces", _STORAGE, child=5),
    _Entry("EncryptionInfo", _STREAM, left=1, right=3),
    _Entry("EncryptedPackage", _STREAM),
    _Entry("Version", _STREAM),
    _Entry("DataSpaceMap", _STREAM, left=4, right=6),
    _Entry("DataSpaceInfo", _STORAGE, right=7, child=8),
    _Entry("TransformInfo", _STORAGE, child=9, colour=_RED),
    _Entry(_SPACE, _STREAM),
    _Entry(_TRANSFORM, _STORAGE, child=10),
    _Entry("\x06Primary", _STREAM),
)
_DIRECTORY_SECTORS = -(-len(_ENTRIES) * 128 // SECTOR)


class _Layout(NamedTuple):
    """Where what begins, in sectors: the tables, the large stream, the directory, the mini FAT, the mini stream."""

    difat: int
    fat: int
    large: int
    mini: int

    @property
    def at_large(self) -> int:
        return self.difat + self.fat

    @property
    def at_directory(self) -> int:
        return self.at_large + self.large

    @property
    def at_mini(self) -> int:
        return self.at_directory + _DIRECTORY_SECTORS + _MINI_FAT_SECTORS

    @property
    def all(self) -> int:
        return self.at_mini + self.mini


def written(size: int, large: Iterable[bytes], info_size: int, info: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield the file: `large` gives `size` octets, then `info` is asked for EncryptionInfo, of `info_size` octets."""
    if size < MIN_LARGE or info_size >= MIN_LARGE:
        raise ValueError("a stream is on the wrong side of the cutoff")
    small = {"EncryptionInfo": info_size, **{name: len(octets) for name, octets in _SMALL.items()}}
    minis = sum(_count(length, _MINI) for length in small.values())
    layout = _layout(_count(size, SECTOR), _count(minis * _MINI, SECTOR))
    yield _header(layout)
    yield from _tables(layout)
    yield from large
    yield bytes(-size % SECTOR)
    yield _directory(layout, size, small, minis)
    yield _mini_fat(small)
    octets = b"".join(_padded(each, _MINI) for each in (info(), *_SMALL.values()))
    yield _padded(octets, SECTOR)


def _layout(large: int, mini: int) -> _Layout:
    """Find how many sectors the tables take, which cover themselves."""
    fat = difat = 0
    while True:
        found = _Layout(difat, fat, large, mini)
        needed = _count(found.all, _PER_SECTOR)
        more = _count(max(0, needed - _IN_HEADER), _PER_SECTOR - 1)
        if (needed, more) == (fat, difat):
            return found
        fat, difat = needed, more


def _header(layout: _Layout) -> bytes:
    """Write 2.2; sectors of the FAT stand behind those of the DIFAT, in order."""
    numbers = range(layout.difat, layout.difat + layout.fat)
    first = [*numbers[:_IN_HEADER], *[_FREE] * (_IN_HEADER - len(numbers))]
    head = struct.pack("<8s16xHHHHH6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6)
    counts = struct.pack("<IIIII", 0, layout.fat, layout.at_directory, 0, MIN_LARGE)
    at_mini_fat = layout.at_directory + _DIRECTORY_SECTORS
    tables = struct.pack("<IIII", at_mini_fat, _MINI_FAT_SECTORS, 0 if layout.difat else _END, layout.difat)
    return head + counts + tables + struct.pack(f"<{_IN_HEADER}I", *first)


def _tables(layout: _Layout) -> Iterator[bytes]:
    rest = list(range(layout.difat + _IN_HEADER, layout.difat + layout.fat))
    for number in range(layout.difat):
        place = number * (_PER_SECTOR - 1)
        part = rest[place : place + _PER_SECTOR - 1]
        following = number + 1 if number + 1 < layout.difat else _END
        yield _numbers([*part, *[_FREE] * (_PER_SECTOR - 1 - len(part)), following])
    entries = [_IS_DIFAT] * layout.difat + [_IS_FAT] * layout.fat
    for length in (layout.large, _DIRECTORY_SECTORS, _MINI_FAT_SECTORS, layout.mini):
        entries += _chain(len(entries), length)
    yield _numbers(entries + [_FREE] * (-len(entries) % _PER_SECTOR))


def _mini_fat(small: dict[str, int]) -> bytes:
    entries: list[int] = []
    for length in small.values():
        entries += _chain(len(entries), _count(length, _MINI))
    return _numbers(entries + [_FREE] * (_PER_SECTOR - len(entries)))


def _directory(layout: _Layout, size: int, small: dict[str, int], minis: int) -> bytes:
    starts = {"Root Entry": (layout.at_mini, minis * _MINI), "EncryptedPackage": (layout.at_large, size)}
    at = 0
    for name, length in small.items():
        starts[name] = (at, length)
        at += _count(length, _MINI)
    octets = b"".join(_entry(each, *starts.get(each.name, (0, 0))) for each in _ENTRIES)
    unused = struct.pack("<64xHBBIII48x", 0, 0, 0, _NOBODY, _NOBODY, _NOBODY)
    return octets + unused * (_DIRECTORY_SECTORS * SECTOR // 128 - len(_ENTRIES))


def _entry(entry: _Entry, start: int, length: int) -> bytes:
    name = entry.name.encode("utf-16-le")
    tree = (entry.left, entry.right, entry.child)
    head = struct.pack("<64sHBBIII", name, len(name) + 2, entry.kind, entry.colour, *tree)
    return head + bytes(36) + struct.pack("<IQ", start, length)


def _chain(first: int, length: int) -> list[int]:
    """Return the links of sectors that stand side by side."""
    return [*range(first + 1, first + length), _END] if length else []


def _numbers(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _count(octets: int, unit: int) -> int:
    return -(-octets // unit)


def _padded(octets: bytes, unit: int) -> bytes:
    return octets + bytes(-len(octets) % unit)
