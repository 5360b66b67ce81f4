"""Transfer encodings undone, and octets to text where only guessing helps: files carry no charset.

Promise: linear, never raises; what can be decoded of a broken encoding is decoded, as mail clients do. Not its job: charset
tables (gateway/message/charset.py).
"""

from __future__ import annotations

import binascii
import codecs
import re

from gateway.message import charset

SAMPLE = 4_096
"""Octets at the beginning of a file that tell whether it is text."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b\x1a"))
_SURROGATE = re.compile("[\ud800-\udfff]")


def undone(octets: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding (RFC 2045 6); an unknown one changes nothing."""
    if encoding == "base64":
        return _from_base64(octets)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets)
    return octets


def text_of(octets: bytes, label: str = "") -> str:
    """Decode a text by its byte order mark, by what NULs show, by its label, by guessing; in this order."""
    for mark, name in _MARKS:
        if octets.startswith(mark):
            return whole(octets[len(mark) :].decode(name, "replace"))
    wide = _wide(octets)
    if wide:
        return whole(octets.decode(wide, "replace"))
    return whole(charset.decode(octets, label) if label else charset.guess(octets)[0])


def is_text(octets: bytes) -> bool:
    """Tell whether a file looks like text in some charset: marked, wide, or with next to no control characters."""
    if any(octets.startswith(mark) for mark, _ in _MARKS) or _wide(octets):
        return True
    sample = octets[:SAMPLE]
    return len(sample) - len(sample.translate(None, _CONTROLS)) <= len(sample) // 100


def whole(text: str) -> str:
    """Replace lone surrogates, which no encoding can carry on."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _wide(octets: bytes) -> str:
    """Return the name of UTF-16 without a mark, where every other octet of the beginning is often NUL, else nothing."""
    sample = octets[: SAMPLE & ~1]
    pairs = len(sample) // 2
    if pairs < 4 or b"\0" not in sample:
        return ""
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high > pairs // 4 and low <= pairs // 100:
        return "utf-16-le"
    return "utf-16-be" if low > pairs // 4 and high <= pairs // 100 else ""


def _from_base64(octets: bytes) -> bytes:
    digits = octets.translate(None, _NOT_BASE64).rstrip(b"=")
    if b"=" in digits:  # pieces that were encoded each by itself: clients show them all
        return b"".join([_piece(piece) for piece in digits.split(b"=")])
    return _piece(digits)


def _piece(digits: bytes) -> bytes:
    even = digits[: len(digits) - (len(digits) % 4 == 1)]
    return binascii.a2b_base64(even + b"=" * (-len(even) % 4))
