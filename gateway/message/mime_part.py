"""One MIME part read from its header fields: type, name, encoding, boundary, and what in them is unclear.

Promise: never raises; every word it adds to `unclear` is in UNCLEAR. Knows nothing of the parts around it,
except the type of what it stands in.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message.header import Field
from gateway.message.mime_fields import NOTHING, FieldValue, file_names, parse_value

MAX_BOUNDARY = 256
"""Octets of a boundary; RFC 2046 5.1.1 allows 70."""

MAX_ID_OCTETS = 512
"""Octets of a Content-ID that are kept."""

UNCLEAR = frozenset(
    {
        "bad-content-type",  # a Content-Type without a type
        "bad-header",  # a part's header section holds a line that is no field, or does not end
        "duplicate-boundary",  # two boundary parameters, one cut in pieces, or one boundary used twice
        "duplicate-content-type",
        "duplicate-disposition",
        "duplicate-encoding",
        "missing-boundary",  # a multipart without a boundary, or whose boundary never comes
        "missing-end",  # the closing delimiter of a multipart never comes
        "odd-encoding",  # an unknown transfer encoding, or an encoded multipart or message
        "partial",  # message/partial or message/external-body: the content is elsewhere
        "too-deep",
        "too-many-parameters",
        "too-many-parts",
        "two-names",  # a part whose names end in different suffixes
        "uuencoded",  # a text holds a file in a way of before MIME (also yEnc, BinHex), which programs show as one
    },
)
"""Every word `Structure.unclear` can hold."""

IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
"""Transfer encodings that change nothing; only under these may a multipart or message be walked (RFC 2045 6.4)."""

_READ = frozenset({"content-type", "content-disposition", "content-transfer-encoding", "content-id"})
_ENCODINGS = IDENTITY | {"base64", "quoted-printable"}


@dataclass(slots=True)
class Draft:
    """A part while the walk is under way: `end` is set when the part is closed."""

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
    boundary: bytes | None

    @property
    def plain(self) -> bool:
        """Tell whether the body stands as it is, so that what it contains can be walked."""
        return self.encoding in IDENTITY


def read_part(
    offsets: tuple[int, int],
    fields: tuple[Field, ...],
    within: str,
    depth: int,
    unclear: set[str],
) -> Draft:
    """Read a part's fields; `offsets` are those of its header section and its body, `within` the type around it."""
    found: dict[str, list[bytes]] = {}
    for field in fields:
        if field.name in _READ:
            found.setdefault(field.name, []).append(field.value)
        elif depth and not field.name:
            unclear.add("bad-header")
    types, dispositions = found.get("content-type"), found.get("content-disposition")
    encodings, ids = found.get("content-transfer-encoding"), found.get("content-id")
    content_type = _only(types, unclear, "duplicate-content-type") if types else NOTHING
    disposition = _only(dispositions, unclear, "duplicate-disposition") if dispositions else NOTHING
    kind = _type_of(content_type, types is not None, within, unclear)
    return Draft(
        header_at=offsets[0],
        body_at=offsets[1],
        end=offsets[1],
        depth=depth,
        within=within,
        content_type=kind,
        charset=content_type.parameters.get("charset", "").lower(),
        disposition=disposition.main,
        name=_name(disposition, content_type, unclear),
        encoding=_encoding(encodings, unclear) if encodings else "",
        content_id=_content_id(ids[0]) if ids else "",
        boundary=_boundary(content_type, unclear) if kind.startswith("multipart/") else None,
    )


def _only(values: list[bytes], unclear: set[str], word: str) -> FieldValue:
    """Parse the first field of a name; a second one is unclear, because readers differ in which of them counts."""
    if len(values) > 1:
        unclear.add(word)
    parsed = parse_value(values[0])
    if parsed.cut:
        unclear.add("too-many-parameters")
    return parsed


def _name(disposition: FieldValue, content_type: FieldValue, unclear: set[str]) -> str:
    """Return the name that most clients show; two with different suffixes are unclear (`a.txt` here, `a.exe` there)."""
    names = file_names(disposition, content_type)
    if not names:
        return ""
    if len(names) > 1 and len({name.rpartition(".")[2].lower() for name in names}) > 1:
        unclear.add("two-names")
    return names[0]


def _encoding(values: list[bytes], unclear: set[str]) -> str:
    if len(values) > 1:
        unclear.add("duplicate-encoding")
    encoding = values[0][:64].decode("ascii", "replace").lower()
    if encoding not in _ENCODINGS:
        unclear.add("odd-encoding")
    return encoding


def _type_of(value: FieldValue, given: bool, within: str, unclear: set[str]) -> str:
    """Return `type/subtype`, with the defaults of RFC 2045 5.2 and RFC 2046 5.1.5."""
    if "/" in value.main:
        if value.main in ("message/partial", "message/external-body"):
            unclear.add("partial")
        return value.main
    if given:
        if value.main != "text":  # RFC 1049, still written: `Content-Type: text`
            unclear.add("bad-content-type")
        return "text/plain"
    return "message/rfc822" if within == "multipart/digest" else "text/plain"


def _boundary(value: FieldValue, unclear: set[str]) -> bytes | None:
    if "boundary" in value.repeated or "boundary" in value.continued:
        unclear.add("duplicate-boundary")
    boundary = value.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
    if not boundary or len(boundary) > MAX_BOUNDARY:
        unclear.add("missing-boundary")
        return None
    return boundary


def _content_id(value: bytes) -> str:
    return value[:MAX_ID_OCTETS].decode("ascii", "replace").removeprefix("<").removesuffix(">")
