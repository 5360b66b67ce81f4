"""Whether a 7z archive is encrypted: by the methods that its header names (7zFormat.txt of the LZMA SDK).

A header may be packed itself; it is unpacked here, up to a bound, and never decrypted: one that is encrypted hides its
names, and all files with them. Only the list of folders is read, which is where methods are named.
"""

from __future__ import annotations

import lzma

from gateway.protect.state_word import State, joined

MAX_HEADER_OCTETS = 4 << 20
"""Octets of a header, packed or not: about 30 for each file."""

MAX_FOLDERS = 100_000
_MAX_CODERS = 32
_START_OCTETS = 32
_AES = b"\x06\xf1\x07\x01"
_LZMA = b"\x03\x01\x01"
_HEADER, _STREAMS, _PACK, _UNPACK, _SIZE, _FOLDER, _SIZES, _ENCODED, _END = 1, 4, 6, 7, 9, 11, 12, 23, 0
_ARCHIVE_PROPERTIES, _ADDITIONAL = 2, 3


class _Unreadable(ValueError):
    """The header does not follow the format, or its bounds."""


class _Reader:
    """Reads numbers and octets of a header from the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def octets(self, count: int) -> bytes:
        if count > len(self._octets) - self._at:
            raise _Unreadable
        self._at += count
        return self._octets[self._at - count : self._at]

    def octet(self) -> int:
        return self.octets(1)[0]

    def number(self) -> int:
        """Read a number of one to nine octets; the first tells by its leading ones how many follow."""
        first = self.octet()
        following = 8 - (0xFF - first).bit_length()
        value = int.from_bytes(self.octets(following), "little")
        return value + ((first & (0x7F >> following)) << (8 * following) if following < 7 else 0)

    def expect(self, word: int) -> None:
        if self.octet() != word:
            raise _Unreadable


def sevenzip_state(octets: bytes) -> State:
    """Tell by the methods of all folders, which is what 7z calls files that are packed together."""
    try:
        header = _header(octets)
        if not header:
            return State.PLAIN
        for _ in range(4):  # a packed header may hold a packed header
            reader = _Reader(header)
            word = reader.octet()
            if word == _HEADER:
                return joined(_AES in methods for methods, _ in _folders_of(reader))
            if word != _ENCODED:
                return State.UNREADABLE
            unpacked = _unpacked(octets, reader)
            if unpacked is None:
                return State.ENCRYPTED
            header = unpacked
    except (_Unreadable, lzma.LZMAError, ValueError, MemoryError):
        return State.UNREADABLE
    return State.UNREADABLE


def _header(octets: bytes) -> bytes:
    """Return the header at the end of the archive; empty in an archive without files."""
    offset = int.from_bytes(octets[12:20], "little")
    size = int.from_bytes(octets[20:28], "little")
    header = octets[_START_OCTETS + offset : _START_OCTETS + offset + size]
    if len(octets) < _START_OCTETS or len(header) != size or size > MAX_HEADER_OCTETS:
        raise _Unreadable
    return header


def _folders_of(reader: _Reader) -> list[tuple[list[bytes], list[bytes]]]:
    """Return methods and their properties for each folder of a header that is not packed."""
    word = reader.octet()
    if word in (_ARCHIVE_PROPERTIES, _ADDITIONAL):
        raise _Unreadable  # nobody writes them
    if word != _STREAMS:
        return []
    word = reader.octet()
    if word == _PACK:
        _skip_pack(reader)
        word = reader.octet()
    return _folders(reader) if word == _UNPACK else []


def _skip_pack(reader: _Reader) -> tuple[int, int]:
    """Read where packed streams begin and the size of the first; the others' sizes and sums are passed over."""
    offset, count = reader.number(), reader.number()
    size = 0
    word = reader.octet()
    if word == _SIZE:
        sizes = [reader.number() for _ in range(min(count, MAX_FOLDERS))]
        size = sizes[0] if sizes else 0
        word = reader.octet()
    if word == 10:  # check sums: all of them, or a map first
        known = (
            count if reader.octet() else sum(bin(each).count("1") for each in reader.octets((count + 7) // 8))
        )
        reader.octets(4 * known)
        word = reader.octet()
    if word != _END:
        raise _Unreadable
    return offset, size


def _folders(reader: _Reader) -> list[tuple[list[bytes], list[bytes]]]:
    reader.expect(_FOLDER)
    count = reader.number()
    if count > MAX_FOLDERS or reader.octet():  # kept elsewhere
        raise _Unreadable
    return [_folder(reader) for _ in range(count)]


def _folder(reader: _Reader) -> tuple[list[bytes], list[bytes]]:
    methods, properties = [], []
    inputs = outputs = 0
    for _ in range(_bounded(reader.number())):
        flags = reader.octet()
        methods.append(reader.octets(flags & 0x0F))
        complex_coder = flags & 0x10
        inputs += _bounded(reader.number()) if complex_coder else 1
        outputs += _bounded(reader.number()) if complex_coder else 1
        properties.append(reader.octets(reader.number()) if flags & 0x20 else b"")
    bonds = outputs - 1
    for _ in range(2 * bonds):
        reader.number()
    packed = inputs - bonds
    for _ in range(packed if packed > 1 else 0):
        reader.number()
    return methods, properties


def _bounded(count: int) -> int:
    if count > _MAX_CODERS:
        raise _Unreadable
    return count


def _unpacked(octets: bytes, reader: _Reader) -> bytes | None:
    """Return a packed header as it was; None where it is encrypted."""
    reader.expect(_PACK)
    offset, size = _skip_pack(reader)
    reader.expect(_UNPACK)
    folders = _folders(reader)
    if len(folders) != 1:
        raise _Unreadable
    methods, properties = folders[0]
    if _AES in methods:
        return None
    reader.expect(_SIZES)
    length = reader.number()
    if len(methods) != 1 or length > MAX_HEADER_OCTETS or size > MAX_HEADER_OCTETS:
        raise _Unreadable
    packed = octets[_START_OCTETS + offset : _START_OCTETS + offset + size]
    unpacking = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(methods[0], properties[0])])
    return unpacking.decompress(packed, max_length=length)


def _filter(method: bytes, properties: bytes) -> dict[str, int]:
    if method == _LZMA and len(properties) == 5:
        first, dictionary = properties[0], int.from_bytes(properties[1:], "little")
        rest, lc = divmod(first, 9)
        pb, lp = divmod(rest, 5)
        size = min(max(dictionary, 4096), MAX_HEADER_OCTETS)
        return {"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}
    raise _Unreadable
