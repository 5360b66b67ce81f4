"""Content-* fields of the header section that hold a hidden address, mostly in a file name.

The address is overwritten octet for octet where it stands in plain; a parameter that holds it encoded (RFC 2047, RFC 2231) is
left out. The boundary is never touched: the body depends on it. Names of parts inside the body are the body's, and unchanged.
"""

from __future__ import annotations

import re

from gateway.message.header import Field
from gateway.transform.hidden import HiddenIndex

FILLER = "_"
"""Stands for each octet of an address: unlike `*`, it may stand in a file name on every system."""

# A quote that is never closed quotes the rest, escaped or not: to try it anew at each later quote costs the square.
_SEGMENT = re.compile(rb'(?:[^";]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)
_PARAMETER = re.compile(rb"\s*([\w-]+)")
_BARE_TYPE = re.compile(rb"\s*[\w.+-]+(?:/[\w.+-]+)?")
_BOUNDARY = re.compile(rb';\s*boundary\s*=\s*("[^"\r\n]*"|[^\s";]+)', re.IGNORECASE)
_NEEDED = ("content-type", "content-disposition", "content-transfer-encoding")


def mask_content(field: Field, index: HiddenIndex) -> bytes | None:
    """Return the field without the hidden addresses in it; None where it is better left out (a description, an id)."""
    colon = field.raw.index(b":") + 1
    label, body = field.raw[:colon], field.raw[colon:].removesuffix(b"\r\n")
    segments = [_masked(segment, index) for segment in segments_of(body)]
    tainted = {_parameter(segment) for segment in segments if _is_found(segment, index)}
    kept = segments[:1] + [segment for segment in segments[1:] if _parameter(segment) not in tainted]
    for candidate in (kept, _without_continuations(kept)):
        raw = label + b";".join(candidate) + b"\r\n"
        if not index.in_field(Field(field.name, _without_boundary(raw))):
            return raw
    return _bare(field, label, body)


def segments_of(body: bytes) -> list[bytes]:
    """Return what stands between the semicolons of a value that are not quoted: the type, then the parameters."""
    return _SEGMENT.findall(body)


def _masked(segment: bytes, index: HiddenIndex) -> bytes:
    """Overwrite what stands in plain. Latin-1 maps octets to characters one to one, whatever charset they are."""
    if _parameter(segment) == b"boundary":
        return segment
    return index.mask(segment.decode("latin-1"), FILLER, same_length=True).encode("latin-1")


def _is_found(segment: bytes, index: HiddenIndex) -> bool:
    return _parameter(segment) != b"boundary" and index.in_field(Field("x", b"x:" + segment))


def _parameter(segment: bytes) -> bytes:
    match = _PARAMETER.match(segment)
    return match[1].lower() if match else b""


def _without_continuations(segments: list[bytes]) -> list[bytes]:
    """Leave out parameters in RFC 2231 form: an address cut in two by a continuation is only found in the whole."""
    return segments[:1] + [each for each in segments[1:] if b"*" not in each.partition(b"=")[0]]


def _without_boundary(raw: bytes) -> bytes:
    return _BOUNDARY.sub(b"", raw)


def _bare(field: Field, label: bytes, body: bytes) -> bytes | None:
    """Return the bare type with its boundary, which is all that a reader needs; None for a field nobody needs."""
    bare = _BARE_TYPE.match(body)
    if field.name not in _NEEDED or bare is None:
        return None
    boundary = _BOUNDARY.search(body)
    return label + bare[0] + (boundary[0] if boundary else b"") + b"\r\n"
