"""Word documents before 2007 (MS-DOC): the text by its piece table, headers, footnotes and deleted text included."""

from __future__ import annotations

import re
import struct

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.octets import whole
from gateway.evidence.content.ole import Compound

_WORD97 = 0x00C1  # nFib of Word 97; older ones are of another make
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_CLX_AT = 0x01A2
_COMPRESSED = 0x40000000
_CELL_ENDS = re.compile("\x07\x07")
_SIGNS = str.maketrans(
    {"\x07": "\t", "\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x13": " ", "\x14": " ", "\x15": " "}
)


def read(compound: Compound, _: File, into: Gathering) -> None:
    """Read the text of a document."""
    entry = compound.find("WordDocument")
    document = compound.stream(entry) if entry is not None else b""
    if len(document) < _CLX_AT + 8:
        raise Unread("damaged")
    version, flags = struct.unpack_from("<H", document, 2)[0], struct.unpack_from("<H", document, 10)[0]
    if flags & _ENCRYPTED:
        raise Unread("encrypted")
    if version < _WORD97:
        raise Unread("unknown-kind")
    table = compound.find("1Table" if flags & _SECOND_TABLE else "0Table")
    if table is None:
        raise Unread("damaged")
    start, length = struct.unpack_from("<II", document, _CLX_AT)
    pieces = _piece_table(compound.stream(table)[start : start + length])
    text = "".join([_piece(document, *piece) for piece in pieces])
    into.say(whole(_CELL_ENDS.sub("\n", text).translate(_SIGNS)))


def _piece_table(clx: bytes) -> list[tuple[int, int]]:
    """Return of every piece where it stands, with the flag for one octet a character, and its length in characters."""
    at = 0
    while at + 3 <= len(clx) and clx[at] == 1:  # formatting that stands before
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at + 5 > len(clx) or clx[at] != 2:
        raise Unread("damaged")
    size = struct.unpack_from("<I", clx, at + 1)[0]
    table = clx[at + 5 : at + 5 + size]
    count = (len(table) - 4) // 12
    if count < 1:
        raise Unread("damaged")
    ends = struct.unpack_from(f"<{count + 1}I", table, 0)
    places = [struct.unpack_from("<I", table, 4 * (count + 1) + 8 * number + 2)[0] for number in range(count)]
    return [(place, max(ends[n + 1] - ends[n], 0)) for n, place in enumerate(places)]


def _piece(document: bytes, place: int, characters: int) -> str:
    if place & _COMPRESSED:
        start = (place & ~_COMPRESSED) // 2
        return document[start : start + characters].decode("cp1252", "replace")
    return document[place : place + 2 * characters].decode("utf-16-le", "replace")
