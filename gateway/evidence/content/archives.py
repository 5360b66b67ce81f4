"""Archives other than ZIP: gzip, bzip2, xz and tar are unpacked; of 7z, RAR, LHA and CAB it is told what they are.

Of 7z and RAR it is told as well whether they are encrypted. The names in what nobody unpacks here are not listed: the listing
is incomplete, and the word is `unknown-kind`.
"""

from __future__ import annotations

import struct

from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.zip_directory import decompressed, gunzipped
from gateway.message import charset

_BLOCK = 512
_LONG_NAME, _PAX = b"L", b"x"
_NO_FILES = frozenset(
    b"123456gK"
)  # links, devices, folders, headers; what else there is programs unpack as a file
_RAR4, _RAR5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"
_RAR4_HEADERS_ENCRYPTED, _RAR4_FILE_ENCRYPTED = 0x0080, 0x0004
_RAR5_ENCRYPTION_HEADER = 4
_AES_IN_7Z = b"\x06\xf1\x07\x01"  # the coder 7zAES, in a header that is not packed itself


def read(file: File, into: Gathering) -> None:
    """Read an archive, or tell what it is."""
    octets = file.octets
    if octets.startswith(b"\x1f\x8b"):
        _read_packed(file, into, ("gz", "tgz"))
    elif octets.startswith(b"BZh"):
        _read_packed(file, into, ("bz2", "tbz2", "tbz"))
    elif octets.startswith(b"\xfd7zXZ"):
        _read_packed(file, into, ("xz", "txz"))
    elif octets.startswith(b"ustar", 257):
        _read_tar(file, into)
    else:
        into.complete = False
        if _is_encrypted(octets):
            raise Unread("encrypted")
        raise Unread("unknown-kind")


def _read_packed(file: File, into: Gathering, suffixes: tuple[str, ...]) -> None:
    limit = max(into.budget.octets, 0)
    kind = suffixes[0]
    octets = (
        gunzipped(file.octets, limit) if kind == "gz" else decompressed(file.octets, limit, xz=kind == "xz")
    )
    into.budget.unpack(len(octets))
    stem, dot, suffix = file.name.rpartition(".")
    known = dot and suffix.lower() in suffixes
    name = (f"{stem}.tar" if suffix.lower().startswith("t") else stem) if known else f"{file.name}.unpacked"
    into.member(file.prefix + name)
    read_file(file.inside(name, octets), into)


def _read_tar(file: File, into: Gathering) -> None:
    """Walk the headers (POSIX.1-1988 ustar, GNU long names); the members are bounded by the mail's budget."""
    octets, at, long_name = file.octets, 0, ""
    while at + _BLOCK <= len(octets) and octets[at] != 0:
        header = octets[at : at + _BLOCK]
        size = _octal(header[124:136])
        start, at = at + _BLOCK, at + _BLOCK + -(-size // _BLOCK) * _BLOCK
        body = octets[start : start + size]
        if len(body) < size:
            raise Unread("damaged")
        if header[156:157] in (_LONG_NAME, _PAX):
            long_name = _long(header[156:157], body) or long_name
            continue
        name, long_name = long_name or _name(header), ""
        if header[156] not in _NO_FILES:
            into.member(file.prefix + name)
            into.budget.unpack(size)
            read_file(file.inside(name, body), into)


def _octal(field: bytes) -> int:
    try:
        size = int(field.strip(b"\0 ") or b"0", 8)
    except ValueError:
        raise Unread("damaged") from None
    if size < 0:
        raise Unread("damaged")
    return size


def _name(header: bytes) -> str:
    name = charset.guess(header[:100].partition(b"\0")[0])[0]
    prefix = charset.guess(header[345:500].partition(b"\0")[0])[0] if header[257:262] == b"ustar" else ""
    return f"{prefix}/{name}" if prefix and header[262:263] != b" " else name


def _long(kind: bytes, body: bytes) -> str:
    if kind == _LONG_NAME:
        return charset.guess(body.rstrip(b"\0"))[0]
    for line in body.split(b"\n"):
        key, _, value = line.partition(b" ")[2].partition(b"=")
        if key == b"path":
            return value.decode("utf-8", "replace")
    return ""


def _is_encrypted(octets: bytes) -> bool:
    if octets.startswith(_RAR5):
        return _rar5_encrypted(octets)
    if octets.startswith(_RAR4) and len(octets) >= 20:
        flags = struct.unpack_from("<H", octets, 10)[0]
        at = 7 + struct.unpack_from("<H", octets, 12)[0]
        first = struct.unpack_from("<H", octets, at + 3)[0] if at + 5 <= len(octets) else 0
        return bool(flags & _RAR4_HEADERS_ENCRYPTED or first & _RAR4_FILE_ENCRYPTED)
    return octets.startswith(b"7z") and _AES_IN_7Z in octets[-(1 << 16) :]


def _rar5_encrypted(octets: bytes) -> bool:
    """Tell whether the first header is the one that says that all others are encrypted (RAR 5.0 archive format)."""
    at = 8 + 4
    while at < len(octets) and octets[at] & 0x80:  # the size of the header, in seven bits each
        at += 1
    return octets[at + 1 : at + 2] == bytes([_RAR5_ENCRYPTION_HEADER])
