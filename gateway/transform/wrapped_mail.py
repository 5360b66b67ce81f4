"""A mail whose own header section says something else about its body, or is wrapped whole into a multipart/mixed. Pure.

Needed where a mail is nothing but a file, or where no place inside of it can hold a further text. Fields that are not
about the content stay where they are, octet for octet; wrapped, the content's fields and the body move inside as they are.
"""

from __future__ import annotations

from hashlib import sha256

from gateway.message.header import split
from gateway.message.mime import Part
from gateway.transform.splice import Cut, cut


def boundary_for(raw: bytes) -> bytes:
    """Return a boundary that stands nowhere in the mail; the same for the same mail."""
    digest = sha256(raw)
    while (boundary := b"=_sekisho_" + digest.hexdigest()[:32].encode()) in raw:
        digest.update(b"+")
    return boundary


def content_fields_cut(raw: bytes, instead: bytes) -> list[Cut]:
    """Put whole fields in the place of all Content-* fields of the header section, and MIME-Version where it was missing."""
    header, _ = split(raw)
    cuts: list[Cut] = []
    versioned = any(each.name == "mime-version" for each in header.fields)
    new = instead if versioned else b"MIME-Version: 1.0\r\n" + instead
    at = 0
    for each in header.fields:
        if each.name.startswith("content-"):
            cuts.append(cut(at, at + len(each.raw), b"" if cuts else new))
        at += len(each.raw)
    return cuts or [cut(at, at, new)]


def as_mixed(raw: bytes, root: Part, part: bytes) -> list[Cut]:
    """Wrap the whole body into a multipart/mixed, with a further part behind it."""
    boundary = boundary_for(raw)
    kind = b'Content-Type: multipart/mixed;\r\n boundary="' + boundary + b'"\r\n'
    line = b"--" + boundary
    fields = b"".join([each.raw for each in split(raw)[0].fields if each.name.startswith("content-")])
    return [
        *content_fields_cut(raw, kind),
        cut(root.body_at, root.body_at, line + b"\r\n" + fields + b"\r\n"),
        cut(len(raw), len(raw), b"\r\n" + line + b"\r\n" + part + b"\r\n" + line + b"--\r\n"),
    ]
