"""The records around the members of a ZIP archive, and the directory behind them (APPNOTE 4.3; WinZip's for AE-2).

UTF-8 for the old cipher too: the Explorer of every Windows that is still maintained reads the flag, in Japan as elsewhere,
while names in Shift_JIS, which it would read in Japan alone, come out broken on a phone, on a Mac and on a Windows in
another language, and cannot write every name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime

from gateway.values import dataclass

MAX_OCTETS = (1 << 32) - (1 << 20)
"""Octets of an archive or of a file in it: from 4 GiB on, ZIP needs an extension that old programs do not read."""

STORED, DEFLATED = 0, 8
_AES = 99
_VERSION, _AES_VERSION = 20, 51  # that a program needs
_SEALED, _SIZES_BEHIND, _UTF8 = 0x0001, 0x0008, 0x0800
_MADE_BY = 3 << 8 | _AES_VERSION  # on Unix: files may have rights
_REGULAR = 0o100644 << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_BEHIND = struct.Struct("<4s3I")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


class TooLarge(ValueError):
    """The files are more than the format or its cipher can hold."""


def bounded(octets: int) -> int:
    """Return the number; raises TooLarge where no archive holds so many."""
    if octets > MAX_OCTETS:
        raise TooLarge(f"more than {MAX_OCTETS} octets in one archive")
    return octets


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said about one member. `method` is how it was packed, whatever seals it; `aes` says that AE-2 does.

    The sizes of one that is not sealed stand behind it; before it they may be 0.
    """

    name: bytes
    method: int
    sealed: bool
    aes: bool = False
    crc: int = 0
    packed: int = 0
    size: int = 0

    def fields(self, when: tuple[int, int]) -> tuple[int, ...]:
        """Return what a local header and the directory have in common, up to the sizes."""
        version, method, crc = (_AES_VERSION, _AES, 0) if self.aes else (_VERSION, self.method, self.crc)
        flags = _UTF8 | (_SEALED if self.sealed else _SIZES_BEHIND)
        return (version, flags, method, *when, crc, self.packed, self.size)

    def extra(self) -> bytes:
        """Return the extra field of AE-2, which has the true method and no CRC."""
        return struct.pack("<2HH2sBH", 0x9901, 7, 2, b"AE", 3, self.method) if self.aes else b""


class Records:
    """Makes the records of one archive; `at` is the time that its members show."""

    def __init__(self, at: datetime) -> None:
        self._when = _dos_time(at)
        self._written: list[tuple[Entry, int]] = []
        self._offset = 0

    def before(self, entry: Entry) -> bytes:
        """Return a member's local header."""
        extra = entry.extra()
        head = _LOCAL.pack(b"PK\x03\x04", *entry.fields(self._when), len(entry.name), len(extra))
        return head + entry.name + extra

    def behind(self, entry: Entry) -> bytes:
        """Return the sizes that stand behind a member that is not sealed."""
        return _BEHIND.pack(b"PK\x07\x08", entry.crc, entry.packed, entry.size)

    def note(self, entry: Entry, octets: int) -> None:
        """Note for the directory that a member takes so many octets, with what stands around it; raises TooLarge."""
        self._written.append((entry, self._offset))
        self._offset = bounded(self._offset + octets)

    def directory(self) -> Iterator[bytes]:
        """Yield what stands behind all members; raises TooLarge."""
        size = 0
        for entry, at in self._written:
            extra = entry.extra()
            lengths = (len(entry.name), len(extra), 0)
            fields = entry.fields(self._when)
            octets = _CENTRAL.pack(b"PK\x01\x02", _MADE_BY, *fields, *lengths, 0, 0, _REGULAR, at)
            size += len(octets) + len(entry.name) + len(extra)
            yield octets + entry.name + extra
        number, begin = len(self._written), bounded(self._offset + size) - size
        yield _END.pack(b"PK\x05\x06", 0, 0, number, number, size, begin, 0)


def _dos_time(at: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS wrote them: from 1980 to 2107, in steps of two seconds, without a zone."""
    year = min(max(at.year, 1980), 2107) - 1980
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day
