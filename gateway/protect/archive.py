"""ZIP archives that are written in one go, sealed or not: members, then the directory (APPNOTE 4.3).

Promise: names in UTF-8 and flagged so, sizes in front of each sealed member and not behind it (phones and older programs read
from the front), memory bounded whatever the size of a file. Sealed octets wait for their size in a temporary file;
readable ones are never written to one. Not its job: what a key is worth (keys.py), which files go in (seal.py).

UTF-8 for the old cipher too: the Explorer of every Windows that is still maintained reads the flag, in Japan as elsewhere,
while names in Shift_JIS, which it would read in Japan alone, come out broken on a phone, on a Mac and on a Windows in
another language, and cannot write every name.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Protocol

from gateway.protect.file import CHUNK, Entropy, File, Read, Room, spooled
from gateway.protect.member_names import member_names
from gateway.protect.winzip_aes import WinZipAes
from gateway.protect.zip_crypto import ZipCrypto
from gateway.values import dataclass

MAX_OCTETS = (1 << 32) - (1 << 20)
"""Octets of an archive or of a file in it: from 4 GiB on, ZIP needs an extension that old programs do not read."""

MAX_MEMBERS = 65_534
MAX_LEGACY_OCTETS = 16 << 20
"""Octets, compressed, that are sealed in the old cipher: some fifteen seconds of one processor."""

INNER_NAME = "attachments.zip"
"""The one name to be read in an archive that hides the names of its files."""

_STORED, _DEFLATED, _AES = 0, 8, 99
_SEALED, _SIZES_BEHIND, _UTF8 = 0x0001, 0x0008, 0x0800
_FROM_UNIX = 3 << 8
_REGULAR = 0o100644 << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


class TooLarge(ValueError):
    """The files are more than the format or its cipher can hold."""


class Sealer(Protocol):
    """Encrypts one member."""

    head: bytes

    def update(self, octets: bytes) -> bytes: ...

    def tail(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Cipher:
    """How members are sealed: the version a program needs, the octets a member grows to at most, and the sealer by its CRC."""

    aes: bool
    version: int
    at_most: int
    sealer: Callable[[int], Sealer]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the directory says about one member. `method` is how it was packed, whatever seals it."""

    name: bytes
    flags: int
    method: int
    version: int
    crc: int
    packed: int
    size: int
    aes: bool

    def fields(self, when: tuple[int, int]) -> tuple[int, ...]:
        """Return what a local header and the directory have in common, up to the sizes."""
        method = _AES if self.aes else self.method
        return (self.version, self.flags, method, *when, 0 if self.aes else self.crc, self.packed, self.size)

    def extra(self) -> bytes:
        """Return the extra field of AE-2, which has the true method and no CRC."""
        return struct.pack("<2HH2sBH", 0x9901, 7, 2, b"AE", 3, self.method) if self.aes else b""


def zip_aes256(
    files: Sequence[File],
    key: str,
    *,
    at: datetime,
    entropy: Entropy,
    hide_names: bool = False,
    room: Room = spooled,
) -> Iterator[bytes]:
    """Return the chunks of an archive sealed in AES-256; `at` is the time its members show, on the receiver's clock.

    `hide_names` puts the files into an archive inside, because ZIP cannot encrypt names. Raises TooLarge, also half-way.
    """
    octets = _key_octets(key)
    cipher = _Cipher(aes=True, version=51, at_most=MAX_OCTETS, sealer=lambda _: WinZipAes(octets, entropy))
    return _sealed([File(INNER_NAME, lambda: _plain(files, at))] if hide_names else files, cipher, at, room)


def zip_legacy(
    files: Sequence[File],
    key: str,
    *,
    at: datetime,
    entropy: Entropy,
    hide_names: bool = False,
    room: Room = spooled,
) -> Iterator[bytes]:
    """Return the chunks of an archive in the old cipher (zip_crypto.py, which says what it is worth).

    `hide_names` as in `zip_aes256`. Raises TooLarge, also half-way.
    """
    octets = _key_octets(key)
    cipher = _Cipher(
        aes=False, version=20, at_most=MAX_LEGACY_OCTETS, sealer=lambda crc: ZipCrypto(octets, entropy, crc)
    )
    return _sealed([File(INNER_NAME, lambda: _plain(files, at))] if hide_names else files, cipher, at, room)


def _key_octets(key: str) -> bytes:
    """Return a key's octets; programs differ in how they write any other character, so there is none."""
    if not key or not key.isascii() or not key.isprintable():
        raise ValueError("a key of an archive is of visible ASCII characters")
    return key.encode("ascii")


def _sealed(files: Sequence[File], cipher: _Cipher, at: datetime, room: Room) -> Iterator[bytes]:
    written: list[tuple[_Entry, int]] = []
    offset = 0
    when = _dos_time(at)
    for name, file in _named(files):
        with room() as waiting:
            entry = _seal(name, file.read, cipher, waiting)
            written.append((entry, offset))
            local = _local(entry, when)
            offset = _bounded(offset + len(local) + entry.packed)
            yield local
            waiting.seek(0)
            yield from iter(lambda: waiting.read(CHUNK), b"")
    yield from _directory(written, offset, when)


def _seal(name: bytes, read: Read, cipher: _Cipher, to: IO[bytes]) -> _Entry:
    method = _DEFLATED if _shrinks(read) else _STORED
    sealer = cipher.sealer(0 if cipher.aes else _crc_of(read))
    counted = _Counted(read())
    packed = to.write(sealer.head)
    for chunk in _packed(counted, method):
        packed += to.write(sealer.update(chunk))
        if packed > cipher.at_most:
            raise TooLarge(f"more than {cipher.at_most} octets in one archive")
    packed += to.write(sealer.tail())
    flags = _SEALED | _UTF8
    return _Entry(name, flags, method, cipher.version, counted.crc, packed, counted.size, cipher.aes)


def _plain(files: Sequence[File], at: datetime) -> Iterator[bytes]:
    """Yield an archive that is not sealed. Sizes stand behind each member: nothing readable waits in a file for them."""
    written: list[tuple[_Entry, int]] = []
    offset = 0
    when = _dos_time(at)
    for name, file in _named(files):
        local = _local(_Entry(name, _SIZES_BEHIND | _UTF8, _DEFLATED, 20, 0, 0, 0, aes=False), when)
        yield local
        counted = _Counted(file.read())
        packed = 0
        for chunk in _packed(counted, _DEFLATED):
            packed += len(chunk)
            yield chunk
        entry = _Entry(
            name, _SIZES_BEHIND | _UTF8, _DEFLATED, 20, counted.crc, packed, counted.size, aes=False
        )
        yield struct.pack("<4s3I", b"PK\x07\x08", entry.crc, entry.packed, entry.size)
        written.append((entry, offset))
        offset = _bounded(offset + len(local) + packed + 16)
    yield from _directory(written, offset, when)


class _Counted:
    """Passes chunks on, and knows their number of octets and CRC."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self.crc = 0
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size = _bounded(self.size + len(chunk))
            self.crc = zlib.crc32(chunk, self.crc)
            yield chunk


def _packed(chunks: Iterable[bytes], method: int) -> Iterator[bytes]:
    if method == _STORED:
        yield from chunks
        return
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for chunk in chunks:
        if out := packing.compress(chunk):
            yield out
    yield packing.flush()


def _shrinks(read: Read) -> bool:
    """Tell by the first chunk whether packing is worth its time; photographs and Office documents are packed already."""
    first = next(iter(read()), b"")
    return len(zlib.compress(first, 1)) < len(first) * 0.97


def _crc_of(read: Read) -> int:
    crc = 0
    for chunk in read():
        crc = zlib.crc32(chunk, crc)
    return crc


def _named(files: Sequence[File]) -> Iterator[tuple[bytes, File]]:
    if len(files) > MAX_MEMBERS:
        raise TooLarge(f"more than {MAX_MEMBERS} files in one archive")
    return zip([name.encode() for name in member_names(file.name for file in files)], files, strict=True)


def _local(entry: _Entry, when: tuple[int, int]) -> bytes:
    extra = entry.extra()
    head = _LOCAL.pack(b"PK\x03\x04", *entry.fields(when), len(entry.name), len(extra))
    return head + entry.name + extra


def _directory(written: Sequence[tuple[_Entry, int]], offset: int, when: tuple[int, int]) -> Iterator[bytes]:
    size = 0
    for entry, at in written:
        extra = entry.extra()
        lengths = (len(entry.name), len(extra), 0)
        octets = _CENTRAL.pack(
            b"PK\x01\x02", _FROM_UNIX | 51, *entry.fields(when), *lengths, 0, 0, _REGULAR, at
        )
        size += len(octets) + len(entry.name) + len(extra)
        yield octets + entry.name + extra
    yield _END.pack(b"PK\x05\x06", 0, 0, len(written), len(written), size, _bounded(offset + size) - size, 0)


def _bounded(octets: int) -> int:
    if octets > MAX_OCTETS:
        raise TooLarge(f"more than {MAX_OCTETS} octets in one archive")
    return octets


def _dos_time(at: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS wrote them: from 1980 to 2107, in steps of two seconds, without a zone."""
    year = min(max(at.year, 1980), 2107) - 1980
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day
