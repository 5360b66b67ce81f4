"""ZIP archives: their members by name, and what is in them; Office documents of today are ZIP archives too.

Each member is unpacked, read and forgotten before the next one; one that cannot be read leaves its word, and the next is read.
"""

from __future__ import annotations

from gateway.evidence.content import office
from gateway.evidence.content.files import File, kind, read_file
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.zip_directory import Directory, Entry

_MANIFEST = "[Content_Types].xml"
_OPEN_DOCUMENT = "META-INF/manifest.xml"
_ARCHIVES = frozenset({"zip", "jar", "apk"})
"""What has a document's manifest may still be no document: then each member is read as well."""


def read(file: File, into: Gathering) -> None:
    """Read an archive or an Office document."""
    directory = Directory(file.octets)
    entries, whole = _listed(directory, into)
    names = {entry.name for entry in entries}
    is_document = _MANIFEST in names or _OPEN_DOCUMENT in names
    if is_document:
        office.read(file, directory, entries, into)
    if not is_document or kind(file) in _ARCHIVES:
        _read_members(file, directory, entries, into)
    if whole:
        into.complete = False
        into.tell(encrypted=None, macros=None)
        raise Unread(whole)


def _listed(directory: Directory, into: Gathering) -> tuple[list[Entry], str]:
    """Return the entries as far as they are read, and why the rest is not."""
    entries: list[Entry] = []
    try:
        for entry in directory.entries():
            if len(entries) >= max(into.budget.members, 1):
                return entries, "too-large"
            entries.append(entry)
    except Unread as unread:
        return entries, unread.word
    return entries, ""


def _read_members(file: File, directory: Directory, entries: list[Entry], into: Gathering) -> None:
    for entry in entries:
        if entry.is_folder:
            continue
        into.member(file.prefix + entry.name)
        octets = unpacked(directory, entry, into)
        if octets is not None:
            read_file(file.inside(entry.name, octets), into)


def unpacked(directory: Directory, entry: Entry, into: Gathering) -> bytes | None:
    """Unpack a member within the mail's budget; None where it cannot be, which is noted."""
    try:
        octets = directory.unpacked(entry, max(into.budget.octets, 0))
        into.budget.unpack(len(octets))
    except Unread as unread:
        into.note(unread.word)
        into.tell(encrypted=True if unread.word == "encrypted" else None, macros=None)
        return None
    return octets
