"""PowerPoint presentations before 2007 (MS-PPT): the text of all slides and notes, record by record."""

from __future__ import annotations

import struct

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.octets import whole
from gateway.evidence.content.ole import Compound

_WIDE, _NARROW, _CSTRING = 0x0FA0, 0x0FA8, 0x0FBA
_CONTAINER = 0x0F
_ENCRYPTED_TOKEN = 0xF3D1C4DF


def read(compound: Compound, _: File, into: Gathering) -> None:
    """Read the text atoms of a presentation (MS-PPT 2.9.41 to 2.9.43)."""
    user = compound.find("Current User")
    head = compound.stream(user)[:16] if user is not None else b""
    if len(head) == 16 and struct.unpack_from("<I", head, 12)[0] == _ENCRYPTED_TOKEN:
        raise Unread("encrypted")
    if compound.find("EncryptedSummary") is not None:
        raise Unread("encrypted")
    entry = compound.find("PowerPoint Document")
    into.say("\n".join(_texts(compound.stream(entry) if entry is not None else b"")))


def _texts(stream: bytes) -> list[str]:
    out, at = [], 0
    while at + 8 <= len(stream):
        version, kind, length = struct.unpack_from("<HHI", stream, at)
        at += 8
        if version & 0x0F == _CONTAINER:
            continue
        octets = stream[at : at + length]
        if kind in (_WIDE, _CSTRING):
            out.append(octets.decode("utf-16-le", "replace"))
        elif kind == _NARROW:
            out.append(octets.decode("latin-1"))
        at += length
    return [whole(text.replace("\r", "\n").replace("\v", "\n")) for text in out]
