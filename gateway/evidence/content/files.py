"""One file: told by its octets, read by the reader of its kind, and what that reader said about it.

Promise: `read_file` raises nothing but TooSlow: whatever goes wrong in one file is a word of that file, and the others are
read. Kinds come from gateway/detect/kinds.py, by the octets, since names lie; who reads which is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from gateway.detect.kinds import kind_of
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.octets import is_text, text_of
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """A file to be read: `path` is where it lies in the attachment (`outer.zip/`), `depth` how deep."""

    name: str
    octets: bytes
    charset: str = ""
    content_type: str = ""
    path: str = ""
    depth: int = 0

    def inside(self, name: str, octets: bytes) -> File:
        """Return a file that lies in this one."""
        return File(name, octets, "", "", self.prefix, self.depth + 1)

    @property
    def prefix(self) -> str:
        """Return what stands before a member's name: nothing in the attachment itself, `inner.zip/` in one that lies in it."""
        return f"{self.path}{self.name}/" if self.depth else ""


Read = Callable[[File, Gathering], None]

_ROOM = "gateway.evidence.content."
_KINDS_OF = {
    "pdf": "pdf",
    "rich": "rtf",
    "enclosed": "eml",
    "calendars": "ics",
    "delimited": "csv",
    "pages": "html hta svg xml",
    "text": "text json script url vcf ps",
    "opaque": "pgp p7m",
    "tnef": "tnef",
    "archives": "7z rar gz bz2 xz cab tar lzh",
    "legacy": "ole doc xls ppt msg office",
    "zipped": "zip jar apk epub odt ods odp docx docm xlsx xlsm xlsb pptx pptm vsdx vsdm",
    "nothing": "png jpeg gif bmp tiff webp heic avif psd ico mp3 m4a mp4 mov avi wav wmv mkv mpeg ogg flac",
}
_ROOMS = {kind: room for room, kinds in _KINDS_OF.items() for kind in kinds.split()}
"""Which room reads a kind; a room is imported when the first such file comes, so only the process that reads pays for it."""

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_BY_TYPE = {
    "message/rfc822": "enclosed",
    "message/global": "enclosed",
    "text/calendar": "calendars",
    "text/html": "pages",
    "text/csv": "delimited",
    "text/tab-separated-values": "delimited",
    "application/pkcs7-mime": "opaque",
    "application/x-pkcs7-mime": "opaque",
    "application/ms-tnef": "tnef",
}
"""Which room reads what its octets do not tell, by the type that the mail gives it."""


def read_file(file: File, into: Gathering) -> None:
    """Read a file and all that is in it. Raises TooSlow, nothing else."""
    try:
        if file.depth > into.budget.depth:
            raise Unread("too-deep")
        _reader(file)(file, into)
    except Unread as unread:
        into.note(unread.word)
        if unread.word == "encrypted":
            into.tell(encrypted=True, macros=None)
        elif unread.word != "too-large":
            into.tell(encrypted=None, macros=None)
    except MemoryError:
        into.note("too-slow")
        into.tell(encrypted=None, macros=None)
    except Exception:  # a parser of foreign octets can raise anything
        into.note("damaged")
        into.tell(encrypted=None, macros=None)


def kind(file: File) -> str:
    """Return what the octets are, in the words of FileEvidence."""
    return kind_of(file.name, file.octets)


def _reader(file: File) -> Read:
    room = _room(file)
    if room in ("text", "nothing"):
        return _read_text if room == "text" else _read_nothing
    if not room:
        raise Unread("unknown-kind")
    read: Read = import_module(_ROOM + room).read
    return read


def _room(file: File) -> str:
    """Return the name of the room that reads a file, empty where none does."""
    if not file.octets:
        return "nothing"
    if file.octets.startswith(_COMPOUND):  # an encrypted .docx is one, whatever its kind is called
        return "legacy"
    known = kind(file)
    if known in ("", "text"):
        room = _BY_TYPE.get(file.content_type, "")
        return room or ("text" if known or is_text(file.octets) else "")
    return _ROOMS.get(known, "")


def _read_text(file: File, into: Gathering) -> None:
    into.tell(encrypted=False, macros=False)
    into.say(text_of(file.octets, file.charset))


def _read_nothing(file: File, into: Gathering) -> None:
    """A picture, a sound, an empty file: there is no text in it to be found."""
    into.tell(encrypted=False, macros=False)
