"""What a file is that is built like a file system: Office documents are ZIP (ISO/IEC 29500-2) or OLE (MS-CFB).

Told by the names of what is inside, and only at the top: a sheet that holds a Word document is a sheet. Nothing is
decompressed or decrypted. Reads a bounded number of names, whatever the file says about itself, and never raises.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_MEMBERS = 20_000  # names of a ZIP that are read
MAX_ENTRIES = 4096  # names of an OLE file that are read
_END_OCTETS = 65_557  # of a ZIP in which its end record stands: 22 and a comment

_OFFICE = ((b"word/", "doc"), (b"xl/", "xls"), (b"ppt/", "ppt"), (b"visio/", "vsd"))
_OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/epub+zip": "epub",
}
_STREAMS = (
    ("EncryptedPackage", "office"),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
    ("__properties_version1.0", "msg"),
    ("VisioDocument", "vsd"),
    ("DocumentText", "jtd"),
    ("\u4840\u3f3f\u4577\u446c\u3b6a\u45e4\u4824", "msi"),
    ("\u4840\u3f3f\u4577\u446c\u3e6a\u44b2\u482f", "msi"),
)

KINDS = frozenset(
    ["zip", "ole", "jar", "apk", *_OPEN_DOCUMENT.values(), *[kind for _, kind in _STREAMS]]
    + [kind + last for _, kind in _OFFICE for last in "xmb"]
) - {"docb", "pptb", "vsdb"}
"""Every word that is told here."""


def kind_of_zip(octets: bytes) -> str:
    """Return what a ZIP file is: zip where it is nothing more than that."""
    names = {name.lower() for name in _members(octets)}
    for folder, kind in _OFFICE:
        if b"[content_types].xml" in names and any(name.startswith(folder) for name in names):
            return kind + _ending(names)
    if b"mimetype" in names:
        return _by_mimetype(octets)
    if b"androidmanifest.xml" in names:
        return "apk"
    return "jar" if b"meta-inf/manifest.mf" in names else "zip"


def kind_of_ole(octets: bytes) -> str:
    """Return what an OLE file is: `office` for an encrypted document, ole where nobody knows."""
    names = frozenset(_top_entries(octets))
    return next((kind for stream, kind in _STREAMS if stream in names), "ole")


def _ending(names: set[bytes]) -> str:
    """Return the last letter of xlsx, xlsm or xlsb."""
    if any(name.endswith(b"/vbaproject.bin") or name.startswith(b"xl/macrosheets/") for name in names):
        return "m"
    return "b" if b"xl/workbook.bin" in names else "x"


def _by_mimetype(octets: bytes) -> str:
    """Read the first member, which is stored as it is (OpenDocument 1.2 part 3, 3.3)."""
    if octets[30:38] != b"mimetype":
        return "zip"
    head = octets[38 : 38 + 80]
    return next((kind for name, kind in _OPEN_DOCUMENT.items() if head.startswith(name)), "zip")


def _members(octets: bytes) -> Iterator[bytes]:
    """Yield the names in the central directory (APPNOTE 4.3.12)."""
    end = octets.rfind(b"PK\x05\x06", max(0, len(octets) - _END_OCTETS))
    if end < 0 or len(octets) < end + 20:
        return
    size, offset = struct.unpack_from("<II", octets, end + 12)
    at = offset if octets[offset : offset + 4] == b"PK\x01\x02" else max(0, end - size)
    for _ in range(MAX_MEMBERS):
        if octets[at : at + 4] != b"PK\x01\x02" or len(octets) < at + 46:
            return
        name, extra, comment = struct.unpack_from("<HHH", octets, at + 28)
        yield octets[at + 46 : at + 46 + name]
        at += 46 + name + extra + comment


def _top_entries(octets: bytes) -> Iterator[str]:
    """Yield the names directly below the root (MS-CFB 2.6), walking its tree of siblings."""
    entries = _directory(octets)
    waiting = [_link(entries[0], 76)] if entries else []
    seen: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number in seen or number >= len(entries):
            continue
        seen.add(number)
        entry = entries[number]
        length = min(int.from_bytes(entry[64:66], "little"), 64)
        yield entry[: max(length - 2, 0)].decode("utf-16-le", "replace")
        waiting += [_link(entry, 68), _link(entry, 72)]


def _link(entry: bytes, at: int) -> int:
    return int.from_bytes(entry[at : at + 4], "little")


def _directory(octets: bytes) -> list[bytes]:
    """Return the directory entries (MS-CFB 2.6), 128 octets each, along their chain of sectors."""
    if len(octets) < 512:
        return []
    sector = 4096 if octets[26:28] == b"\x04\x00" else 512
    at = _link(octets, 48)
    entries: list[bytes] = []
    while len(entries) < MAX_ENTRIES:
        data = octets[(at + 1) * sector : (at + 2) * sector]
        entries += [data[n : n + 128] for n in range(0, len(data) - 127, 128)]
        following = _next_sector(octets, at, sector)
        if len(data) < sector or following is None:
            break
        at = following
    return entries


def _next_sector(octets: bytes, at: int, sector: int) -> int | None:
    """Look a sector up in the FAT, as far as the header's own list of FAT sectors goes (109 of them)."""
    table, place = divmod(at, sector // 4)
    if table >= 109:
        return None
    fat = _link(octets, 76 + 4 * table)
    data = octets[(fat + 1) * sector + 4 * place : (fat + 1) * sector + 4 * place + 4]
    following = int.from_bytes(data, "little")
    return following if len(data) == 4 and following < 0xFFFFFFFA else None
