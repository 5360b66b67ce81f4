"""A MIME part written new: its fields, and its octets in base64 as they come.

Names in both ways at once, because programs in Japan need one or the other: RFC 2047 inside of quotes in Content-Type, which
no standard allows and every old client writes and reads, and RFC 2231 in Content-Disposition, which the standard asks for.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from gateway.message.mime_fields import safe_name
from gateway.message.text import encode_header

_LINE_OCTETS = 57
"""Octets in one line of base64: 76 characters (RFC 2045 6.8)."""

_BATCH = _LINE_OCTETS * 1024
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9 _.()+-]{1,60}")
_SEGMENT_OCTETS = 54
"""Characters of one RFC 2231 segment; its name and the fold before it keep the line below 76."""

_ESCAPED = re.compile(r"%..|.")


def file_fields(content_type: str, name: str) -> bytes:
    """Return the header section, with its empty line, of a part that is a file; raises ValueError at a strange type."""
    if _TYPE.fullmatch(content_type) is None:
        raise ValueError(f"no content type: {content_type!r}")
    shown = safe_name(name) or "file"
    return (
        b"Content-Type: " + content_type.encode("ascii") + b";\r\n name=" + _quoted(shown) + b"\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment;\r\n " + _file_name(shown) + b"\r\n\r\n"
    )


def note_part(text: str) -> bytes:
    """Return a whole part that is a text to be read in its place, without the line end behind it."""
    lines = "\r\n".join(text.splitlines()).encode()
    return (
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: inline\r\n\r\n"
    ) + b"".join(base64_lines((lines,)))


def base64_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield base64 in lines of 76 characters, without a line end behind the last."""
    held = bytearray()
    between = b""
    for chunk in chunks:
        held += chunk
        if len(held) >= _BATCH:
            whole = len(held) - len(held) % _LINE_OCTETS
            yield between + _lines(bytes(held[:whole]))
            del held[:whole]
            between = b"\r\n"
    if held:
        yield between + _lines(bytes(held))


def _lines(octets: bytes) -> bytes:
    digits = b64encode(octets)
    return b"\r\n".join([digits[at : at + 76] for at in range(0, len(digits), 76)])


def _quoted(name: str) -> bytes:
    return b'"' + (name.encode("ascii") if _PLAIN.fullmatch(name) else encode_header(name)) + b'"'


def _file_name(name: str) -> bytes:
    if _PLAIN.fullmatch(name):
        return b'filename="' + name.encode("ascii") + b'"'
    segments = _segments(quote(name, safe="", encoding="utf-8"))
    if len(segments) == 1:
        return b"filename*=utf-8''" + segments[0]
    first = b"filename*0*=utf-8''" + segments[0]
    return b";\r\n ".join(
        [first, *(b"filename*%d*=%b" % (at, each) for at, each in enumerate(segments[1:], 1))]
    )


def _segments(escaped: str) -> list[bytes]:
    """Cut between escapes, never inside one."""
    out = [""]
    for each in _ESCAPED.findall(escaped):
        if len(out[-1]) + len(each) > _SEGMENT_OCTETS:
            out.append("")
        out[-1] += each
    return [each.encode("ascii") for each in out]
