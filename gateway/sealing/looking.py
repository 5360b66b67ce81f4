"""The files that a person sees in a mail, and whether they may be touched. Runs in the process that seals; never raises.

An obstacle is told for the mail as a whole: what is done with each file is not known yet. So it is tried here what would be
the most: every file replaced, and every file left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gateway.detect.kinds import kind_of
from gateway.message.header import split
from gateway.message.mime import REPORT_TYPES, Part, Structure, scan_structure
from gateway.policy.handling import Attached, Seen
from gateway.protect.state import state_of
from gateway.protect.state_word import State
from gateway.sealing.bounds import MAX_FILES, MAX_LOOKED_AT, MAX_NAME
from gateway.sealing.told import UNDECODABLE, UNREAD
from gateway.transform.attachment_places import Places
from gateway.transform.attachments import CannotRebuild, Replacement, rebuild
from gateway.transform.part_content import Undecodable, content_of
from gateway.transform.part_octets import decoded
from gateway.transform.shown_pictures import files_of

_MACHINERY: dict[str, Callable[[str, bytes], bool]] = {
    **dict.fromkeys(
        ("application/pkcs7-signature", "application/x-pkcs7-signature"),
        lambda name, octets: kind_of(name, octets) == "p7m",
    ),
    "application/pgp-signature": lambda name, octets: kind_of(name, octets) == "pgp",
    "application/pgp-encrypted": lambda _, octets: (
        octets.strip() == b"Version: 1"
    ),  # all there is (RFC 3156 4)
}
"""Parts that make a mail signed or encrypted and are no file of anybody's, and what their octets are."""

_REPORTS = frozenset({"text", "eml", ""})
"""Kinds of the parts of a report that are for machines."""

_FIELDS = re.compile(rb"(?:[!-9;-~]++[ \t]*+:[^\n]*+(?:\n|\Z)|[ \t][^\n]*+(?:\n|\Z)|\r?\n)*+")
"""What they hold: groups of fields (RFC 3464 2.1)."""

_OF_BEFORE_MIME = re.compile(
    rb"^(?:begin(?:-base64)? [0-7]{3,4} [^\r\n]|=ybegin (?:part=\d+ )?(?:total=\d+ )?line=\d|"
    rb"\(This file must be converted with BinHex)",
    re.MULTILINE,
)
"""Lines with which a file in a text begins: uuencode, yEnc, BinHex. Under an encoding, too: some programs look behind it."""

_PICTURES = frozenset({"png", "jpeg", "gif", "bmp", "svg", "webp", "tiff", "heic", "emf", "wmf", ""})
"""Kinds of what is shown inside a text; what is of no known kind no program shows as anything else."""

_NOTE = "."


def seen_in(raw: bytes) -> Seen:
    """Return the files of a mail; `unread` where looking at them failed, which is not supposed to happen."""
    try:
        return _seen(raw)
    except Exception:  # a parser, of whatever: the mail is held, and what it was about stays here
        return Seen(obstacle=UNREAD)


def _seen(raw: bytes) -> Seen:
    header, body_at = split(raw)
    structure = scan_structure(raw, header, body_at)
    places = files_of(raw, structure)
    if len(places) > MAX_FILES:
        return Seen(obstacle=UNREAD)
    files, broken = [], ""
    for place in places:
        part = structure.parts[place]
        try:
            octets = _whole(raw, part)
        except Undecodable:
            files.append(_attached(place, part, "", part.end - part.body_at, State.UNREADABLE))
            broken = UNDECODABLE
            continue
        if octets is None:
            files.append(_attached(place, part, "", part.size_bytes, State.UNREADABLE))
        else:
            state = state_of(part.name, octets)
            files.append(_attached(place, part, kind_of(part.name, octets), len(octets), state))
    return Seen(tuple(files), _obstacle(raw, structure, places) or broken)


def _attached(place: int, part: Part, kind: str, size: int, state: State) -> Attached:
    return Attached(place, part.name[:MAX_NAME], kind, size, state.value)


def _whole(raw: bytes, part: Part) -> bytes | None:
    """Return a file, None where it is too large to be looked at; raises Undecodable in that case too."""
    held: list[bytes] | None = []
    size = 0
    for chunk in content_of(raw, part):
        size += len(chunk)
        if size > MAX_LOOKED_AT:
            held = None
        if held is not None:
            held.append(chunk)
    return None if held is None else b"".join(held)


def _is_pretended(raw: bytes, part: Part) -> bool:
    """Tell whether a part is called a signature, a part of a report or a picture in the text, and holds something else.

    By its name alone anything could be one of them, and would be no file.
    """
    genuine = _genuine(part)
    if genuine is None:
        return False
    try:
        octets = _whole(raw, part)
    except Undecodable:
        return True
    if octets is None:
        return True
    return not genuine(part.name, octets)


def _hides_a_file(raw: bytes, part: Part) -> bool:
    """Tell whether a text holds a file in a way of before MIME, or a container is called one; some programs show it."""
    if part.content_type.startswith("multipart/"):
        return bool(part.name) or part.disposition not in ("", "inline")
    if part.is_attachment or not part.content_type.startswith("text/"):
        return False
    octets = decoded(raw[part.body_at : part.end], part.encoding)
    return octets is not None and _OF_BEFORE_MIME.search(octets) is not None


def _genuine(part: Part) -> Callable[[str, bytes], bool] | None:
    """Return what tells whether a part is what it is called, where that makes it no file."""
    if part.is_attachment:
        return (lambda _, octets: kind_of("", octets) in _PICTURES) if part.inline else None
    if part.content_type in REPORT_TYPES:
        listed = part.name or part.disposition == "attachment"  # then it has to be what such a file is
        return lambda _, octets: (
            kind_of("", octets) in _REPORTS
            and b"\0" not in octets
            and (not listed or _FIELDS.fullmatch(octets) is not None)
        )
    return _MACHINERY.get(part.content_type)


def _obstacle(raw: bytes, structure: Structure, places: Sequence[int]) -> str:
    """Return why the files must not be touched: the mail is unclear, or what would be written is not what was read."""
    why = Places(raw, structure).why_not(places)
    told = frozenset(places)
    others = [part for number, part in enumerate(structure.parts) if number not in told]
    if any(_is_pretended(raw, part) or _hides_a_file(raw, part) for part in others):
        return "unclear"
    if why or not places:
        return "" if why == "no-body" and not places else why
    hollow = {place: Replacement("application/zip", "a.zip", tuple) for place in places}
    for edits in (hollow, dict.fromkeys(places, None)):
        try:
            rebuild(raw, structure, edits, _NOTE)
        except CannotRebuild as cannot:
            return cannot.reason
    return ""
