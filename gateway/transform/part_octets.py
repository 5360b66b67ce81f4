"""The octets of one text part, out of and back into its transfer encoding; the header section of a part written anew. Pure."""

from __future__ import annotations

from binascii import Error, a2b_base64, a2b_qp, b2a_base64, b2a_qp

from gateway.message.header import HeaderSection, parse_fields
from gateway.message.mime_fields import FieldValue, parse_value
from gateway.message.mime_part import IDENTITY

LINE = 76
"""Octets of a line of base64 (RFC 2045 6.8)."""

MAX_LINE = 990
"""Octets of a line that stands as it is; RFC 5322 2.1.1 allows 998."""

_ASCII = bytes(range(128))
_WHITE = b" \t\r\n"


def decoded(octets: bytes, encoding: str) -> bytes | None:
    """Return the octets without their transfer encoding; None where they are not what it allows."""
    if encoding in IDENTITY:
        return octets
    if encoding == "quoted-printable":
        return a2b_qp(octets)
    if encoding != "base64":
        return None
    try:
        return a2b_base64(octets.translate(None, _WHITE), strict_mode=True)
    except Error:
        return None


def in_base64(octets: bytes) -> bytes:
    """Return octets as lines of base64."""
    encoded = b2a_base64(octets, newline=False)
    lines = [encoded[start : start + LINE] for start in range(0, len(encoded), LINE)]
    return b"\r\n".join(lines) + b"\r\n"


def in_quoted_printable(octets: bytes) -> bytes:
    """Return text whose lines end with CRLF as quoted-printable."""
    return b2a_qp(octets)


def encoded_anew(octets: bytes, *, opaque: bool = False) -> tuple[str, bytes]:
    """Return a transfer encoding that fits the octets, and them in it: quoted-printable where it stays readable and exact.

    `opaque`: base64 at any rate, in which no line can be taken for a delimiter.
    """
    foreign = octets.count(b"=") + len(octets.translate(None, _ASCII))
    if foreign * 6 <= len(octets) and not opaque:
        quoted = in_quoted_printable(octets)
        if a2b_qp(quoted) == octets and not set(b"\r\n") & set(quoted.replace(b"\r\n", b"")):
            return "quoted-printable", quoted
    return "base64", in_base64(octets)


def header_anew(section: bytes, encoding: str, charset: str | None) -> bytes | None:
    """Return a part's header section with another transfer encoding, and another charset where one is given.

    None where its Content-Type has a parameter that cannot be written as it was read.
    """
    header = HeaderSection(parse_fields(section))
    if charset is not None:
        field = header.first("content-type")
        kind = _content_type(parse_value(field.value) if field is not None else None, charset)
        if kind is None:
            return None
        header = header.replace("content-type", kind)
    header = header.replace(
        "content-transfer-encoding", b"Content-Transfer-Encoding: %b\r\n" % encoding.encode()
    )
    return header.to_bytes()


def _content_type(value: FieldValue | None, charset: str) -> bytes | None:
    main = value.main if value is not None and "/" in value.main else "text/plain"
    written = [f"Content-Type: {main}; charset={charset}"]
    for name, text in value.parameters.items() if value is not None else ():
        if name == "charset":
            continue
        if not (name + text).isascii() or not text.isprintable() or '"' in text or "\\" in text:
            return None
        written.append(f'{name}="{text}"')
    return ";\r\n ".join(written).encode("ascii") + b"\r\n"
