"""The MIME parts of a mail by their offsets: one pass over the raw octets, nothing decoded, nothing written
again.

Promise: never raises; linear in the mail; bounded in depth and number of parts. What can be read in two ways
is named in `Structure.unclear`, from the closed list UNCLEAR, so that a policy can hold it. A nested
message/rfc822 is one attachment, and its own parts are walked too (unless it is encoded, which RFC 2046 5.2.1
forbids: then `odd-encoding`). What stands in a preamble or an epilogue is no part. Not its job: judging what
an attachment holds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.message.header import HeaderSection
from gateway.message.mime_part import UNCLEAR, Draft
from gateway.message.mime_walk import MAX_DEPTH, MAX_PARTS, Walk
from gateway.message.piecewise import count, find
from gateway.values import dataclass

__all__ = ["MAX_DEPTH", "MAX_PARTS", "REPORT_TYPES", "UNCLEAR", "Part", "Structure", "scan_structure"]

_IMAGE_SUFFIXES = frozenset(
    {"png", "jpg", "jpeg", "gif", "bmp", "svg", "webp", "tif", "tiff", "heic", "emz", "wmz"}
)
REPORT_TYPES = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
    }
)
_MACHINE_TYPES = REPORT_TYPES | {
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-encrypted",
}
_READ_AS_TEXT = frozenset(
    {
        "text/plain",
        "text/html",
        "text/enriched",
        "text/richtext",
        "text/calendar",
        "text/x-amp-html",
        "text/watch-html",
    }
)
"""Texts without a name that programs show as a text, or as the invitation that they are; all others they show as files."""

_MACHINE_PLACES = ("multipart/signed", "multipart/encrypted", "multipart/report")
_UUENCODED = re.compile(rb"begin(?:-base64)? [0-7]{3,4} [^\r\n]{1,255}\r?\n")
_YENC = (b"\n=ybegin line=", b"\n=ybegin part=")
_BINHEX = b"\n(This file must be converted with BinHex"
"""What yEnc and BinHex begin with, which Thunderbird shows as attachments, too."""

_MAX_BEGINNINGS = 1000
"""Lines of one text that start like an uuencoded file and are looked at; more hold one. Bounds the time."""


class Part(NamedTuple):
    """One part. Offsets are into the raw mail: header section from `header_at`, body from `body_at` to `end`.

    `name` is the file name as shown to people, `encoding` and `disposition` are lower case; all are empty
    where absent. `content_id` has no angle brackets. `size_bytes` is the size of the decoded body. `within`
    is the type of the multipart or message around it, empty at the top (`depth` 0). An inline part is also an
    attachment.
    """

    header_at: int
    body_at: int
    end: int
    depth: int
    within: str
    content_type: str
    charset: str
    disposition: str
    name: str
    encoding: str
    content_id: str
    size_bytes: int
    is_attachment: bool
    inline: bool


@dataclass(frozen=True, slots=True)
class Structure:
    """All parts in the order they stand, containers included, and the words for what is unclear."""

    parts: tuple[Part, ...]
    unclear: frozenset[str]


def scan_structure(raw: bytes, header: HeaderSection, body_at: int) -> Structure:
    """Find the parts of a mail whose header section and body offset are known (`header.split`)."""
    walk = Walk(raw)
    walk.run(header.fields, body_at)
    if any(_holds_uuencoded(draft, raw) for draft in walk.drafts):
        walk.unclear.add("uuencoded")
    return Structure(tuple([_part(draft, raw) for draft in walk.drafts]), frozenset(walk.unclear))


def may_hide_files(structure: Structure) -> bool:
    """Tell whether parts are no attachments because of what they are called: their octets may say otherwise."""
    return any(
        part.content_type in _MACHINE_TYPES
        or (
            part.content_type.startswith("multipart/")
            and (part.name or part.disposition not in ("", "inline"))
        )
        for part in structure.parts
    )


def _part(draft: Draft, raw: bytes) -> Part:
    attachment = _is_attachment(draft)
    return Part(
        header_at=draft.header_at,
        body_at=draft.body_at,
        end=draft.end,
        depth=draft.depth,
        within=draft.within,
        content_type=draft.content_type,
        charset=draft.charset,
        disposition=draft.disposition,
        name=draft.name,
        encoding=draft.encoding,
        content_id=draft.content_id,
        size_bytes=_size(draft, raw),
        is_attachment=attachment,
        inline=attachment and _is_inline(draft),
    )


def _is_attachment(draft: Draft) -> bool:
    """Tell whether a part is an attachment: asked for, named, or of a type that is shown as a file.

    Signatures and the machine-readable parts of reports are not, whatever they are named.
    """
    if draft.content_type in _MACHINE_TYPES and draft.within in _MACHINE_PLACES:
        return False
    if draft.boundary is not None:
        return False
    if draft.disposition not in ("", "inline") or draft.name:
        return True  # RFC 2183 2.8: what nobody knows is treated like `attachment`
    if draft.content_type.startswith("multipart/"):
        return False
    return draft.content_type not in _READ_AS_TEXT and not _is_another_text(draft)


def _is_another_text(draft: Draft) -> bool:
    """Tell whether a text stands in for the one beside it, or belongs to a report."""
    return draft.content_type.startswith("text/") and (
        draft.within in ("multipart/alternative", "multipart/report")
    )


def _is_inline(draft: Draft) -> bool:
    """Tell whether an attachment is a picture of the text around it (RFC 2387), and is named like one."""
    suffix = draft.name.rpartition(".")[2].lower()
    return (
        draft.within == "multipart/related"
        and draft.content_id != ""
        and draft.content_type.startswith("image/")
        and draft.disposition != "attachment"
        and ("." not in draft.name or suffix in _IMAGE_SUFFIXES)
    )


def _holds_uuencoded(draft: Draft, raw: bytes) -> bool:
    if not draft.plain or not draft.content_type.startswith("text/"):
        return False
    at, end = draft.body_at, draft.end
    line_before = max(at - 1, 0)
    if find(raw, _BINHEX, line_before, end) >= 0:
        return True
    if find(raw, b"begin", at, end) < 0:  # nearly every text: all others hold this word
        return False
    if any(find(raw, start, line_before, end) >= 0 for start in _YENC):
        return True
    for _ in range(_MAX_BEGINNINGS):
        if _UUENCODED.match(raw, at, end):
            return True
        at = find(raw, b"\nbegin", at, end) + 1
        if not at:
            return False
    return True


def _size(draft: Draft, raw: bytes) -> int:
    """Return the size of the decoded body, from counts alone; white space inside base64 lines is not counted."""
    at, end = draft.body_at, draft.end
    length = end - at
    if draft.encoding == "base64":
        digits = length - sum([count(raw, blank, at, end) for blank in (b"\r", b"\n", b" ")])
        padding = raw.count(b"=", max(at, end - 8), end)
        return max((digits - padding) * 3 // 4, 0)
    if draft.encoding == "quoted-printable":
        soft = count(raw, b"=\r\n", at, end)
        return max(length - 3 * soft - 2 * (count(raw, b"=", at, end) - soft), 0)
    return length
