"""The directory of a ZIP archive, and the octets of its members (PKWARE APPNOTE 6.3).

Promise: bounded by what the caller asks for, whatever the directory says: entries are read one after the other and only as
many as wanted, a member is unpacked to a limit. Names are read as UTF-8 where flagged, as a Japanese Windows writes them
(CP932) otherwise. Written here because the standard library reads the whole directory first (a million entries take
seconds and half a gigabyte) and takes CP932 for CP437. Raises Unread only.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from gateway.evidence.content.gathering import Unread
from gateway.message import charset

_END, _END_OCTETS = b"PK\x05\x06", 22
_END64_LOCATOR, _END64 = b"PK\x06\x07", b"PK\x06\x06"
_ENTRY, _ENTRY_OCTETS = b"PK\x01\x02", 46
_LOCAL, _LOCAL_OCTETS = b"PK\x03\x04", 30
_MAX_COMMENT = 0xFFFF
_ENCRYPTED, _UTF8, _MASKED = 0x0001, 0x0800, 0x2000
_STORED, _DEFLATED, _BZIP2, _LZMA, _AES = 0, 8, 12, 14, 99
_UNICODE_PATH, _ZIP64 = 0x7075, 0x0001
_GZIP, _BZIP, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ"
_MAX_STREAMS = 100  # of one packed file, one behind the other: what stands behind each is copied
_WIDE = 0xFFFFFFFF  # says that the value stands in the extra field


class Entry(NamedTuple):
    """One member: its name as shown, how it is packed, and where its local header begins."""

    name: str
    encrypted: bool
    method: int
    packed_octets: int
    header_at: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


class Directory:
    """The directory of an archive; raises Unread("damaged") where it has none."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        end = octets.rfind(_END, max(0, len(octets) - _END_OCTETS - _MAX_COMMENT))
        if end < 0 or end + _END_OCTETS > len(octets):
            raise Unread("damaged")
        self.count, size, start = struct.unpack_from("<HII", octets, end + 10)
        if self.count == 0xFFFF or _WIDE in (size, start):
            self.count, size, start, end = self._wide(end, (self.count, size, start))
        # What stands before the archive, such as a program that unpacks it, moves everything.
        self._moved = end - size - start
        self._at = end - size
        if self._at < 0 or self._moved < 0:
            self._moved, self._at = 0, start

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order; raises Unread("damaged") where one cannot be read.

        Those beyond the count are read as well: programs go by what stands there.
        """
        at, number = self._at, 0
        while number < self.count or self._octets[at : at + 4] == _ENTRY:
            if self._octets[at : at + 4] != _ENTRY or at + _ENTRY_OCTETS > len(self._octets):
                raise Unread("damaged")
            entry, at = self._entry(at)
            number += 1
            yield entry

    def unpacked(self, entry: Entry, limit: int) -> bytes:
        """Unpack a member; raises Unread where it is encrypted, damaged, larger than `limit`, or packed in a way unknown."""
        if entry.encrypted:
            raise Unread("encrypted")
        at = entry.header_at + self._moved
        if self._octets[at : at + 4] != _LOCAL or at + _LOCAL_OCTETS > len(self._octets):
            raise Unread("damaged")
        name, extra = struct.unpack_from("<HH", self._octets, at + 26)
        start = at + _LOCAL_OCTETS + name + extra
        packed = memoryview(self._octets)[start : start + entry.packed_octets]
        if len(packed) < entry.packed_octets:
            raise Unread("damaged")
        return _unpack(packed, entry.method, limit)

    def _wide(self, end: int, narrow: tuple[int, int, int]) -> tuple[int, int, int, int]:
        """Read what ZIP64 says where the fields of the end record are too narrow."""
        locator = end - 20
        if locator < 0 or self._octets[locator : locator + 4] != _END64_LOCATOR:
            return (*narrow, end)
        at = self._octets.rfind(_END64, 0, locator)
        if at < 0 or at + 56 > locator:
            raise Unread("damaged")
        count, size, start = struct.unpack_from("<QQQ", self._octets, at + 32)
        return count, size, start, at

    def _entry(self, at: int) -> tuple[Entry, int]:
        octets = self._octets
        flags, method = struct.unpack_from("<HH", octets, at + 8)
        packed, unpacked, name_octets, extra_octets, comment = struct.unpack_from("<IIHHH", octets, at + 20)
        header_at = struct.unpack_from("<I", octets, at + 42)[0]
        name_at = at + _ENTRY_OCTETS
        extra_at = name_at + name_octets
        extra = _extra(octets[extra_at : extra_at + extra_octets])
        if _ZIP64 in extra:
            packed, header_at = _widened(extra[_ZIP64], unpacked, packed, header_at)
        entry = Entry(
            _name(octets[name_at:extra_at], flags, extra),
            bool(flags & (_ENCRYPTED | _MASKED)) or method == _AES,
            method,
            packed,
            header_at,
        )
        return entry, extra_at + extra_octets + comment


def _name(octets: bytes, flags: int, extra: dict[int, bytes]) -> str:
    if _UNICODE_PATH in extra and len(extra[_UNICODE_PATH]) > 5:
        name = extra[_UNICODE_PATH][5:].decode("utf-8", "replace")
    elif flags & _UTF8:
        name = octets.decode("utf-8", "replace")
    else:
        name = charset.guess(octets)[0]
    return name.replace("\\", "/")


def _extra(octets: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(octets):
        tag, size = struct.unpack_from("<HH", octets, at)
        found.setdefault(tag, octets[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def _widened(extra: bytes, unpacked: int, packed: int, header_at: int) -> tuple[int, int]:
    """Return the packed size and the offset as ZIP64 gives them: only those that are too large stand there, in order."""
    values = [value for (value,) in struct.iter_unpack("<Q", extra[: len(extra) & ~7])]
    wide = [
        values.pop(0) if narrow == _WIDE and values else narrow for narrow in (unpacked, packed, header_at)
    ]
    return wide[1], wide[2]


def _unpack(packed: memoryview, method: int, limit: int) -> bytes:
    if method == _STORED:
        if len(packed) > limit:
            raise Unread("too-large")
        return bytes(packed)
    if method == _DEFLATED:
        return inflated(packed, limit, -zlib.MAX_WBITS)
    if method == _BZIP2:
        return _decompressed(bz2.BZ2Decompressor(), packed, limit)
    raise Unread("unknown-kind")


def inflated(packed: bytes | memoryview, limit: int, bits: int) -> bytes:
    """Inflate at most `limit` octets (RFC 1951, or RFC 1952 by `bits`); raises Unread."""
    return _inflated(packed, limit, bits)[0]


def gunzipped(packed: bytes, limit: int) -> bytes:
    """Unpack every member of a gzip file (RFC 1952 2.2) to at most `limit` octets; raises Unread."""
    pieces: list[bytes] = []
    for _ in range(_MAX_STREAMS):
        piece, packed = _inflated(packed, limit, zlib.MAX_WBITS | 16)
        pieces.append(piece)
        limit -= len(piece)
        if not packed.startswith(_GZIP):  # nothing more, or padding that every program passes over
            return b"".join(pieces)
    raise Unread("too-large")


def _inflated(packed: bytes | memoryview, limit: int, bits: int) -> tuple[bytes, bytes]:
    """Inflate one stream; return what it holds, and what stands behind it."""
    machine = zlib.decompressobj(bits)
    try:
        out = machine.decompress(packed, limit + 1)
    except zlib.error:
        raise Unread("damaged") from None
    if len(out) > limit:
        raise Unread("too-large")
    if not machine.eof:
        raise Unread("damaged")
    return out, machine.unused_data


def _decompressed(
    machine: bz2.BZ2Decompressor | lzma.LZMADecompressor, packed: memoryview, limit: int
) -> bytes:
    try:
        out = machine.decompress(packed, limit + 1)
    except (OSError, EOFError, lzma.LZMAError, ValueError):
        raise Unread("damaged") from None
    if len(out) > limit:
        raise Unread("too-large")
    return out


def decompressed(packed: bytes, limit: int, *, xz: bool) -> bytes:
    """Unpack all streams of a bzip2 or xz file to at most `limit` octets; raises Unread."""
    pieces: list[bytes] = []
    for _ in range(_MAX_STREAMS):
        machine = lzma.LZMADecompressor(memlimit=_MEMORY) if xz else bz2.BZ2Decompressor()
        pieces.append(_decompressed(machine, memoryview(packed), limit))
        limit -= len(pieces[-1])
        packed = machine.unused_data
        if not packed.startswith(_XZ if xz else _BZIP):
            return b"".join(pieces)
    raise Unread("too-large")


_MEMORY = 128 << 20
"""Octets of memory that unpacking xz may take; `xz -9` needs 65 MiB."""
