"""Which pictures the mail's own text shows, and which only stand beside it: those are files to whoever reads the mail. Pure.

A picture in multipart/related with a Content-ID looks like one of the text (RFC 2387), but programs show it there only where
the HTML beside it asks for it (RFC 2392); otherwise it is listed with the attachments. Doubt makes a file of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

from gateway.message.mime import Part, Structure
from gateway.transform.attachment_places import MESSAGES, attached
from gateway.transform.part_octets import decoded

_ASKED = re.compile(r"cid:([^\s\"'<>()]{1,600})", re.IGNORECASE)


def files_of(raw: bytes, structure: Structure) -> tuple[int, ...]:
    """Return the places of the files that a person sees: the attachments, and pictures that no text shows."""
    return attached(structure, _beside(raw, structure))


def _beside(raw: bytes, structure: Structure) -> frozenset[int]:
    """Return the places of pictures that are made to be shown in a text, and that no text asks for."""
    found: set[int] = set()
    asked: dict[int, frozenset[str]] = {}
    around: list[int] = []
    for number, part in enumerate(structure.parts):
        del around[part.depth :]
        if part.inline and around:
            if around[-1] not in asked:
                asked[around[-1]] = _asked_for(raw, structure, around[-1])
            if unquote(part.content_id).lower() not in asked[around[-1]]:
                found.add(number)
        around.append(number)
    return frozenset(found)


def _asked_for(raw: bytes, structure: Structure, around: int) -> frozenset[str]:
    """Return which pictures the HTML inside of one container asks for."""
    names: set[str] = set()
    for part in _own_html(structure, around):
        octets = decoded(raw[part.body_at : part.end], part.encoding)
        if octets is not None:
            text = unescape(octets.replace(b"\0", b"").decode("latin-1"))  # UTF-16 reads so, too
            names.update(unquote(each).lower() for each in _ASKED.findall(text))
    return frozenset(names)


def _own_html(structure: Structure, around: int) -> Iterator[Part]:
    depth = structure.parts[around].depth
    forwarded: int | None = None
    for part in structure.parts[around + 1 :]:
        if part.depth <= depth:
            return
        if forwarded is not None and part.depth > forwarded:
            continue
        forwarded = part.depth if part.content_type in MESSAGES else None
        if part.content_type == "text/html" and not part.is_attachment:
            yield part
