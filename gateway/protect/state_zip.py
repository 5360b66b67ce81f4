"""Whether the members of a ZIP archive are sealed, and whether an OpenDocument is (APPNOTE 4.4.4; ODF 1.2 part 3, 3.4).

Read from the directory and from each member's own header: programs differ in which of them they believe, and a member that
only one of them calls sealed may stand there in plain. Nothing is unpacked but an OpenDocument's manifest.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from io import BytesIO

from gateway.protect.state_word import State, joined

MAX_MEMBERS = 20_000
"""Members that are looked at; an archive of more is not told."""

MAX_MANIFEST_OCTETS = 4 << 20
"""Octets of an OpenDocument's manifest that are read: 150 or so for each picture."""

_SEALED = 0x0001
_LOCAL = b"PK\x03\x04"
_FLAGS_AT = 6
_DIRECTORY_SEALED = 0x2000
_MANIFEST = "META-INF/manifest.xml"
_MAIN = ("content.xml", "encrypted-package")
"""What an OpenDocument's text is in; a manifest may say that it is encrypted, and it stands there in plain."""
_READABLE = re.compile(rb"<[?!a-zA-Z][\t\r\n -~]{8}|PK\x03\x04|\xff\xfe<\0|\xfe\xff\0<")
"""How XML or a package begins; what is encrypted begins so once in a million."""
_BEGINNING = 64
_BROKEN = (zipfile.BadZipFile, ValueError, KeyError, OSError, NotImplementedError, RuntimeError, EOFError)


def zip_state(octets: bytes) -> State:
    """Tell by the flags of all members; folders and empty files, which nobody seals, do not count."""
    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            members = archive.infolist()
    except (*_BROKEN, struct.error):
        return State.UNREADABLE
    if len(members) > MAX_MEMBERS:
        return State.UNREADABLE
    flags = [(each.flag_bits, _own_flags(octets, each.header_offset)) for each in members if _counts(each)]
    if any(own is None for _, own in flags):
        return State.UNREADABLE
    state = joined(bool(told & _SEALED and (own or 0) & _SEALED) for told, own in flags)
    if state is not State.ENCRYPTED and any(told & _DIRECTORY_SEALED for told, _ in flags):
        return State.UNREADABLE  # says that it is sealed, and programs that know no such mark open it
    return state


def open_document_state(octets: bytes) -> State:
    """Tell by the manifest, which names what each part was encrypted with; the parts' own flags say nothing."""
    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            if archive.getinfo(_MANIFEST).file_size > MAX_MANIFEST_OCTETS:
                return State.UNREADABLE
            manifest = archive.read(_MANIFEST)
            main = next((name for name in _MAIN if name in archive.namelist()), None)
            begins = b"" if main is None else _first_of(archive, main)
    except (*_BROKEN, struct.error, zlib.error):
        return State.UNREADABLE
    if b"encryption-data" not in manifest:
        return State.PLAIN
    return State.PLAIN if _READABLE.match(begins) else State.ENCRYPTED


def _first_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the first octets of a member, without a mark of its order and white space."""
    with archive.open(name) as member:
        return member.read(_BEGINNING).removeprefix(b"\xef\xbb\xbf").lstrip()


def _counts(member: zipfile.ZipInfo) -> bool:
    return not member.filename.endswith("/") and member.file_size > 0


def _own_flags(octets: bytes, at: int) -> int | None:
    """Return the flags in a member's own header; None where there is no header."""
    if octets[at : at + 4] != _LOCAL or len(octets) < at + 30:
        return None
    return int.from_bytes(octets[at + _FLAGS_AT : at + _FLAGS_AT + 2], "little")
