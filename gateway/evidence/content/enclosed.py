"""Mails in a mail: an attached message/rfc822, an .eml file, one in an archive; its texts, and what is attached to it.

The attachments of a message that stands as it is in the mail are the mail's own as well (gateway/message/mime.py walks into
it): there only the texts are read here, and each file once.
"""

from __future__ import annotations

from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.octets import text_of, undone
from gateway.evidence.content.pages import say_page
from gateway.message.header import HeaderSection, split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.message.mime_part import IDENTITY
from gateway.message.text import decode_header

_SHOWN = frozenset({"subject", "from", "to", "cc"})


def read(file: File, into: Gathering) -> None:
    """Read a mail that nobody walked before, with all that is attached to it."""
    into.tell(encrypted=False, macros=False)
    raw = _in_wire_form(file.octets)
    header, body_at = split(raw)
    say_header(header, into)
    structure = scan_structure(raw, header, body_at)
    for number, part in enumerate(structure.parts):
        if holds_parts(structure, number):
            continue
        if not part.is_attachment:
            say_part(raw, part, into)
        elif not _is_walked(part):
            octets = part_octets(raw, part)
            into.member(file.prefix + (part.name or part.content_type))
            into.budget.unpack(len(octets))
            name = part.name or f"{part.content_type.rpartition('/')[2]}"
            read_file(_inside(file, part, name, octets), into)


def say_header(header: HeaderSection, into: Gathering) -> None:
    """Add what a reader sees above a mail: its subject, and who is named."""
    shown = [decode_header(field.body) for field in header.fields if field.name in _SHOWN]
    into.say("\n".join(shown) + "\n")


def say_part(raw: bytes, part: Part, into: Gathering) -> None:
    """Add the text of a part that is no attachment."""
    octets = part_octets(raw, part)
    if part.content_type == "text/html":
        say_page(text_of(octets, part.charset), into)
    elif part.content_type.startswith(("text/", "message/")):
        into.say(text_of(octets, part.charset) + "\n")
    elif part.content_type.startswith("multipart/"):
        say_unparted(raw, part, into)


def say_unparted(raw: bytes, part: Part, into: Gathering) -> None:
    """Add a multipart in which no part was found, as clients show it that obey its boundary or its encoding less strictly."""
    octets = raw[part.body_at : part.end]
    if not octets.strip():
        return
    into.say(text_of(octets) + "\n")
    if part.encoding not in IDENTITY:
        into.say(text_of(part_octets(raw, part)) + "\n")
    into.note("damaged")  # in whatever encoding its parts are


def holds_parts(structure: Structure, number: int) -> bool:
    """Tell whether a part is a multipart whose parts stand in the list behind it."""
    part, rest = structure.parts[number], structure.parts[number + 1 : number + 2]
    return part.content_type.startswith("multipart/") and bool(rest) and rest[0].header_at < part.end


def part_octets(raw: bytes, part: Part) -> bytes:
    """Return what a part holds, its transfer encoding undone."""
    return undone(raw[part.body_at : part.end], part.encoding)


def _is_walked(part: Part) -> bool:
    """Tell whether a part is a message whose own parts stand in the list as well."""
    return part.content_type in ("message/rfc822", "message/global") and part.encoding in IDENTITY


def _inside(file: File, part: Part, name: str, octets: bytes) -> File:
    inner = file.inside(name, octets)
    return File(name, octets, part.charset, part.content_type, inner.path, inner.depth)


def _in_wire_form(octets: bytes) -> bytes:
    """Give lines their CRLF: mails kept as files often have none."""
    if octets.count(b"\r\n") * 2 > octets.count(b"\n"):
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
