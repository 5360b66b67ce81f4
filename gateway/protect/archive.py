"""ZIP archives that are written in one go, sealed or not: members, then the directory (zip_records.py).

Promise: names in UTF-8 and flagged so, sizes in front of each sealed member and not behind it (phones and older programs read
from the front), memory bounded whatever the size of a file. Sealed octets wait for their size in a temporary file;
readable ones are never written to one. Not its job: what a key is worth (keys.py), which files go in (seal.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Protocol

from gateway.protect.file import CHUNK, Entropy, File, Read, Room, spooled
from gateway.protect.member_names import member_names
from gateway.protect.winzip_aes import WinZipAes
from gateway.protect.zip_crypto import ZipCrypto
from gateway.protect.zip_records import DEFLATED, MAX_OCTETS, STORED, Entry, Records, TooLarge, bounded
from gateway.values import dataclass

MAX_MEMBERS = 65_534
MAX_LEGACY_OCTETS = 16 << 20
"""Octets, compressed, that are sealed in the old cipher: some fifteen seconds of one processor."""

INNER_NAME = "attachments.zip"
"""The one name to be read in an archive that hides the names of its files."""


class Sealer(Protocol):
    """Encrypts one member."""

    head: bytes

    def update(self, octets: bytes) -> bytes: ...

    def tail(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Cipher:
    """How members are sealed: the octets a member grows to at most, and the sealer by its CRC."""

    aes: bool
    at_most: int
    sealer: Callable[[int], Sealer]


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
    cipher = _Cipher(aes=True, at_most=MAX_OCTETS, sealer=lambda _: WinZipAes(octets, entropy))
    return _sealed(_hidden(files, at) if hide_names else files, cipher, at, room)


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
    cipher = _Cipher(aes=False, at_most=MAX_LEGACY_OCTETS, sealer=lambda crc: ZipCrypto(octets, entropy, crc))
    return _sealed(_hidden(files, at) if hide_names else files, cipher, at, room)


def _key_octets(key: str) -> bytes:
    """Return a key's octets; programs differ in how they write any other character, so there is none."""
    if not key or not key.isascii() or not key.isprintable():
        raise ValueError("a key of an archive is of visible ASCII characters")
    return key.encode("ascii")


def _hidden(files: Sequence[File], at: datetime) -> Sequence[File]:
    """Return the one file that is an archive of all, not sealed."""
    return [File(INNER_NAME, lambda: _plain(files, at))]


def _sealed(files: Sequence[File], cipher: _Cipher, at: datetime, room: Room) -> Iterator[bytes]:
    records = Records(at)
    for name, file in _named(files):
        with room() as waiting:
            entry = _seal(name, file.read, cipher, waiting)
            before = records.before(entry)
            records.note(entry, len(before) + entry.packed)
            yield before
            waiting.seek(0)
            yield from iter(lambda: waiting.read(CHUNK), b"")
    yield from records.directory()


def _seal(name: bytes, read: Read, cipher: _Cipher, to: IO[bytes]) -> Entry:
    method = DEFLATED if _shrinks(read) else STORED
    sealer = cipher.sealer(0 if cipher.aes else _crc_of(read))
    counted = _Counted(read())
    packed = to.write(sealer.head)
    for chunk in _packed(counted, method):
        packed += to.write(sealer.update(chunk))
        if packed > cipher.at_most:
            raise TooLarge(f"more than {cipher.at_most} octets in one archive")
    packed += to.write(sealer.tail())
    return Entry(name, method, True, cipher.aes, counted.crc, packed, counted.size)


def _plain(files: Sequence[File], at: datetime) -> Iterator[bytes]:
    """Yield an archive that is not sealed. Sizes stand behind each member: nothing readable waits in a file for them."""
    records = Records(at)
    for name, file in _named(files):
        before = records.before(Entry(name, DEFLATED, sealed=False))
        yield before
        counted = _Counted(file.read())
        packed = 0
        for chunk in _packed(counted, DEFLATED):
            packed += len(chunk)
            yield chunk
        entry = Entry(name, DEFLATED, sealed=False, crc=counted.crc, packed=packed, size=counted.size)
        behind = records.behind(entry)
        yield behind
        records.note(entry, len(before) + packed + len(behind))
    yield from records.directory()


class _Counted:
    """Passes chunks on, and knows their number of octets and CRC."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self.crc = 0
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size = bounded(self.size + len(chunk))
            self.crc = zlib.crc32(chunk, self.crc)
            yield chunk


def _packed(chunks: Iterable[bytes], method: int) -> Iterator[bytes]:
    if method == STORED:
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
