"""Compound files by what they hold: encrypted Office documents, Word, Excel and PowerPoint before 2007, Outlook messages.

Whether macros are in it is told by the storages that programs keep them in. Each kind is read by a room of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from gateway.evidence.content import msg, ppt, word97, xls
from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.ole import Compound

_MACROS = ("_VBA_PROJECT_CUR", "Macros", "VBA", "_VBA_PROJECT")

_READERS: dict[str, Callable[[Compound, File, Gathering], None]] = {
    "__properties_version1.0": msg.read,
    "WordDocument": word97.read,
    "Workbook": xls.read,
    "Book": xls.read,
    "PowerPoint Document": ppt.read,
}


def read(file: File, into: Gathering) -> None:
    """Read a compound file; raises Unread where it is encrypted or of a kind that nobody reads."""
    try:
        compound = Compound(file.octets)
    except struct.error:
        raise Unread("damaged") from None
    if compound.find("EncryptedPackage") is not None:
        raise Unread("encrypted")
    reader = next((reader for name, reader in _READERS.items() if compound.find(name) is not None), None)
    if reader is None:
        raise Unread("unknown-kind")
    into.tell(encrypted=False, macros=has_macros(compound))
    reader(compound, file, into)


def has_macros(compound: Compound) -> bool:
    """Tell whether a storage for macros stands anywhere in the file."""
    return any(entry.path.rpartition("/")[2] in _MACROS for entry in compound.entries)
