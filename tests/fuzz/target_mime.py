"""The MIME scanner: offsets lie inside one another, bounds hold, names are harmless, and doubt is said in closed words."""

from __future__ import annotations

from gateway.message.gather import attachments
from gateway.message.header import split
from gateway.message.mime import MAX_DEPTH, MAX_PARTS, UNCLEAR, scan_structure
from gateway.message.mime_fields import MAX_NAME_CHARACTERS


def check(octets: bytes) -> None:
    header, body_at = split(octets)
    structure = scan_structure(octets, header, body_at)
    assert structure.unclear <= UNCLEAR
    assert 1 <= len(structure.parts) <= MAX_PARTS
    assert structure.parts[0].depth == 0
    # A delimiter inside what one program takes for a header section begins a part to another: both readings are told then.
    starts = [part.header_at for part in structure.parts]
    assert starts == sorted(starts) or "bad-header" in structure.unclear
    for part in structure.parts:
        assert 0 <= part.header_at <= part.body_at <= part.end <= len(octets)
        assert 0 <= part.depth <= MAX_DEPTH
        assert 0 <= part.size_bytes <= part.end - part.body_at
        assert part.inline <= part.is_attachment
    for attachment in attachments(structure):
        assert len(attachment.name) <= MAX_NAME_CHARACTERS
        assert not {"/", "\\", "\r", "\n", "\0"} & set(attachment.name)
