"""Put other files in the place of a mail's attachments, or leave them out, and say so in a text. Pure; linear in the mail.

Promise: every octet outside of the parts concerned stays; what comes out has the same other parts as what went in, which is
looked at before the first octet is given out. What cannot be told for certain is refused with a word of REFUSALS, so that it
is held: an attachment nobody is sure of is never sent as it is, and a signature is never broken. New octets are written in
base64 while they are made. docs/decisions/0070-attachments-rebuilt.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field

from gateway.message.header import split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.transform.attachment_places import Places
from gateway.transform.part_writer import base64_lines, file_fields, note_part
from gateway.transform.splice import Cut, cut, spliced
from gateway.transform.wrapped_mail import as_mixed, boundary_for, content_fields_cut
from gateway.values import dataclass

REFUSALS = frozenset(
    {
        "unclear",  # the structure can be read in two ways
        "signed",  # inside of multipart/signed, or signed as a whole: a changed octet breaks it
        "encrypted",  # inside of multipart/encrypted, or encrypted as a whole
        "forwarded",  # the whole content of a forwarded mail: that mail is the file to be replaced
        "two-halves",  # one half of a file from an old Mac (multipart/appledouble)
        "no-body",  # the mail is a header section without an end
        "nothing-left",  # every part would be left out
        "structure",  # the mail would have other parts than it had, and its new ones
    }
)
"""Why a mail is held instead of rebuilt."""


class CannotRebuild(ValueError):
    """The mail must not be rebuilt; `reason` is one of REFUSALS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands in the place of a part; `chunks` gives the octets, asked for once each time the mail is written."""

    content_type: str
    name: str
    chunks: Callable[[], Iterable[bytes]] = field(repr=False)

    def fields(self) -> bytes:
        return file_fields(self.content_type, self.name)


Edits = Mapping[int, Replacement | None]
"""By the place of a part in `Structure.parts`: what stands there instead, None where nothing does."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A mail to be written; `breaks` names header fields whose signatures over the whole mail do not hold any more."""

    raw: bytes = field(repr=False)
    cuts: tuple[Cut, ...] = field(repr=False)
    breaks: frozenset[str]

    def chunks(self) -> Iterator[bytes]:
        """Return the octets of the mail; what a replacement raises comes through."""
        return spliced(self.raw, self.cuts)


def rebuild(raw: bytes, structure: Structure, edits: Edits, note: str = "") -> Rebuilt:
    """Plan a mail with its parts replaced, and a note in front of the first of them where one is given.

    A container may be replaced, and everything in it with it. Raises CannotRebuild, and ValueError where an edit
    lies inside another.
    """
    places = Places(raw, structure)
    reason = places.why_not(edits)
    if reason:
        raise CannotRebuild(reason)
    chosen = _without_empty(places, edits, note)
    if not _reads_the_same(raw, structure, chosen, _cuts(places, _hollow(chosen), note), bool(note)):
        raise CannotRebuild("structure")
    return Rebuilt(raw, tuple(_cuts(places, chosen, note)), _broken(raw))


def _without_empty(places: Places, edits: Edits, note: str) -> Edits:
    """Leave out containers with the last of their parts; of a mail that would be empty the note stays, in the first place."""
    wanted = places.without_empty(edits)
    if wanted is not None:
        return wanted
    if not note:
        raise CannotRebuild("nothing-left")
    first = min(edits)
    others = places.without_empty({number: edit for number, edit in edits.items() if number != first})
    return {first: None, **(others or {})}


def _cuts(places: Places, edits: Edits, note: str) -> list[Cut]:
    if 0 in edits:
        return _instead_of_all(places, edits[0], note)
    first = places.of_note(edits) if note else None
    cuts = [_cut(places, number, edit, note if number == first else "") for number, edit in edits.items()]
    if note and first is None:
        cuts += as_mixed(places.raw, places.structure.parts[0], note_part(note))
    return cuts


def _cut(places: Places, number: int, edit: Replacement | None, note: str) -> Cut:
    """Write one part anew, with the note in a part before it, or in the place of one that is left out."""
    part = places.structure.parts[number]
    if edit is None:
        if not note:
            return cut(places.line_before(part), places.line_behind(part))
        return cut(part.header_at, part.end, note_part(note) + places.line_end(part))
    lead = note_part(note) + b"\r\n" + places.delimiter(part) if note else b""
    return Cut(part.header_at, part.end, lambda: _written(lead, edit, places.line_end(part)))


def _written(lead: bytes, edit: Replacement, behind: bytes) -> Iterator[bytes]:
    yield lead + edit.fields()
    yield from base64_lines(edit.chunks())
    if behind:
        yield behind


def _instead_of_all(places: Places, edit: Replacement | None, note: str) -> list[Cut]:
    """Replace the one part of a mail that is nothing but a file: its fields stand in the mail's own header section."""
    raw, part = places.raw, places.structure.parts[0]
    if edit is None:
        text = note_part(note)
        at = text.index(b"\r\n\r\n") + 4
        return [*content_fields_cut(raw, text[: at - 2]), cut(part.body_at, part.end, text[at:] + b"\r\n")]
    if not note:
        behind = Cut(part.body_at, part.end, lambda: _lines_of(edit))
        return [*content_fields_cut(raw, edit.fields()[:-2]), behind]
    boundary = boundary_for(raw)
    line = b"--" + boundary + b"\r\n"
    kind = b'Content-Type: multipart/mixed;\r\n boundary="' + boundary + b'"\r\n'
    lead = line + note_part(note) + b"\r\n" + line
    end = b"\r\n--" + boundary + b"--\r\n"
    whole = Cut(part.body_at, part.end, lambda: _written(lead, edit, end))
    return [*content_fields_cut(raw, kind), whole]


def _lines_of(edit: Replacement) -> Iterator[bytes]:
    yield from base64_lines(edit.chunks())
    yield b"\r\n"


def _hollow(edits: Edits) -> dict[int, Replacement | None]:
    """Return the edits with nothing in the files: base64 has no line that begins with a hyphen, so the parts are the same."""
    return {
        number: None if edit is None else Replacement(edit.content_type, edit.name, tuple)
        for number, edit in edits.items()
    }


def _reads_the_same(raw: bytes, structure: Structure, edits: Edits, cuts: list[Cut], noted: bool) -> bool:
    """Tell whether the mail, read again, has the other parts it had, in their order, and as many new ones as were put in."""
    made = b"".join(spliced(raw, cuts))
    header, body_at = split(made)
    after = scan_structure(made, header, body_at)
    gone = {number for at in edits for number in (at, *_inside(structure, at))}
    left = [_seen(part) for number, part in enumerate(structure.parts) if number not in gone and number]
    found = [_seen(part) for part in after.parts[1:]]
    new = sum(edit is not None for edit in edits.values()) + noted
    rest = iter(found)
    return not after.unclear and all(each in rest for each in left) and len(found) - len(left) <= new + 1


def _inside(structure: Structure, number: int) -> range:
    """Return the places of the parts that a container holds."""
    depth = structure.parts[number].depth
    end = number + 1
    while end < len(structure.parts) and structure.parts[end].depth > depth:
        end += 1
    return range(number + 1, end)


def _seen(part: Part) -> tuple[str, str, str, str, int]:
    """Return what a reader sees of a part; containers change their size with what they hold."""
    container = part.content_type.startswith(("multipart/", "message/"))
    return part.content_type, part.name, part.encoding, part.content_id, -1 if container else part.size_bytes


def _broken(raw: bytes) -> frozenset[str]:
    signing = {"dkim-signature", "arc-message-signature"}
    return frozenset(each.name for each in split(raw)[0].fields if each.name in signing)
