"""What in a header section must not be accepted: what one reader sees as a line end, another as text,
smuggles fields.

Promise: a section without a fault is read the same way by every MTA behind us. Names the fault, decides no
reply code. ESC is let through only as part of an ISO-2022 escape sequence (RFC 1468, RFC 2237, RFC 1557, RFC
1922): raw ISO-2022-JP names are ordinary mail in Japan, and ESC is no line end to anybody.
"""

from __future__ import annotations

import re

MAX_FIELDS = 1000
"""Fields in a section; Haraka refuses more header lines than this."""

MAX_FIELD_OCTETS = 100_000
"""Octets of one field with its folding; Postfix's `header_size_limit` is 102400."""

MAX_SECTION_OCTETS = 512 * 1024
"""Octets of the whole section: ten thousand addresses fit, and reading them takes under a second."""

_ISO_2022 = rb"\$(?:[@AB]|[()*+][@-_])|[(*)+,\-./][0@-_]|N|O"
_BAD = re.compile(
    rb"(?P<cr>\r(?!\n))|(?P<lf>(?<!\r)\n)|(?P<nul>\x00)|(?P<esc>\x1b(?!" + _ISO_2022 + rb"))"
    rb"|(?P<c0>[\x01-\x08\x0b\x0c\x0e\x0f\x10-\x1a\x1c-\x1f])",
)
_TEXTS = {
    "cr": "a bare CR",
    "lf": "a bare LF",
    "nul": "a NUL octet",
    "esc": "an escape octet outside an ISO-2022 sequence",
    "c0": "a control character",
}
_FIELD_START = re.compile(rb"\r\n(?![ \t])")
_BAD_ESCAPE = re.compile(rb"\x1b(?!" + _ISO_2022 + rb")")
_HARMLESS = bytes([9, 10, 13, 27, *range(32, 256)])


def header_faults(raw_header: bytes) -> str | None:
    """Name the first fault of a raw header section (with or without its empty line), or None.

    The text is fit for an SMTP reply: ASCII, without octets of the mail.
    """
    if len(raw_header) > MAX_SECTION_OCTETS:
        return f"the header section is longer than {MAX_SECTION_OCTETS} octets"
    bad = None if _is_clean(raw_header) else _BAD.search(raw_header)
    if bad is not None:
        line = raw_header.count(b"\r\n", 0, bad.start()) + 1
        return f"the header section holds {_TEXTS[str(bad.lastgroup)]} in line {line}"
    return _size_fault(raw_header)


def _is_clean(raw_header: bytes) -> bool:
    """Tell quickly that there is no control octet but good escapes, and that CR and LF come in pairs only."""
    lines = raw_header.count(b"\r\n")
    pairs = raw_header.count(b"\r") == lines and raw_header.count(b"\n") == lines
    return pairs and not raw_header.translate(None, _HARMLESS) and _BAD_ESCAPE.search(raw_header) is None


def _size_fault(raw_header: bytes) -> str | None:
    if len(raw_header) <= MAX_FIELD_OCTETS and raw_header.count(b"\r\n") <= MAX_FIELDS:
        return None
    starts = [0, *[match.end() for match in _FIELD_START.finditer(raw_header)]]
    ends = [*starts[1:], len(raw_header)]
    fields = sum(raw_header[at : at + 2] not in (b"", b"\r\n") for at in starts)
    if fields > MAX_FIELDS:
        return f"the header section has more than {MAX_FIELDS} fields"
    if max(end - start for start, end in zip(starts, ends, strict=True)) > MAX_FIELD_OCTETS:
        return f"a header field is longer than {MAX_FIELD_OCTETS} octets"
    return None
