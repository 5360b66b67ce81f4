"""Header values to text and back (RFC 2047), in the forms that real clients write.

Promise: decoding never raises, is linear, and its result is one line: control characters become spaces, so
that nothing decoded can open a new line in a log, a header section or a page. Not its job: finding addresses
(address_list.py).
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from functools import lru_cache

from gateway.message import charset

MAX_PLAIN_OCTETS = 900
"""Longest ASCII value that encode_header leaves alone: RFC 5322 2.1.1 ends a line at 998 octets."""

_REMEMBERED_OCTETS = 256
"""Values up to this are remembered (1024 of them): a mail's subject and names are read several times over."""

_WORD_OCTETS = 45
"""Octets of text in one encoded word: 12 of frame and 60 of base64 stay below RFC 2047's 75."""

# An encoded word, with anything for a charset; the payload ends at `?=`, at the start of another word, or at the end (writers
# forget `?=`).
_WORD = re.compile(rb"=\?([^?]*+)\?([bBqQ])\?((?:[^?=]|\?(?!=)|=(?!\?(?!=)))*+)(?:\?=)?+")
_LABEL = re.compile(r"[\w.:+()\-]{1,40}", re.ASCII)
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]|=\?")


def one_line(text: str) -> str:
    """Replace control characters, line ends of every kind and lone surrogates by spaces."""
    return _CONTROL.sub(" ", text)


def decode_header(value: bytes) -> str:
    """Decode a header value, folded or not: encoded words, raw ISO-2022-JP, Shift_JIS, EUC-JP, UTF-8, or all of them."""
    return _remembered(value) if len(value) <= _REMEMBERED_OCTETS else _decode(value)


def _decode(value: bytes) -> str:
    value = value.replace(b"\r\n", b"").strip(b" \t\r\n")
    if b"=?" not in value:
        return one_line(
            value.decode("ascii") if value.isascii() and b"\x1b" not in value else charset.guess(value)[0]
        )
    return one_line("".join(_pieces(value)))


_remembered = lru_cache(maxsize=1024)(_decode)


def encode_header(text: str) -> bytes:
    """Encode a header value; UTF-8 words of base64, folded between words, where ASCII will not do. Control characters go."""
    text = one_line(text)
    if _NOT_PLAIN.search(text) is None and len(text) <= MAX_PLAIN_OCTETS:
        return text.encode("ascii")
    return b"\r\n ".join([b"=?utf-8?b?" + b64encode(chunk) + b"?=" for chunk in _chunks(text)])


def _chunks(text: str) -> list[bytes]:
    """Cut text between characters (RFC 2047 5) into pieces that fit an encoded word."""
    chunks = [b""]
    for character in text:
        octets = character.encode()
        if len(chunks[-1]) + len(octets) > _WORD_OCTETS:
            chunks.append(b"")
        chunks[-1] += octets
    return chunks


def _pieces(value: bytes) -> list[str]:
    """Decode words and what stands between them; words of one charset side by side are joined before
    decoding.

    Writers cut inside a character, against RFC 2047 5; the octets are whole again once joined.
    """
    out: list[str] = []
    pending: list[bytes] = []
    label, end = "", 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        apart = end == 0 or between.strip(b" \t") != b""
        name = match[1].decode("ascii", "replace").partition("*")[0].lower()
        if pending and (apart or name != label):
            out.append(charset.decode(b"".join(pending), label))
            pending = []
        if apart and between:
            out.append(charset.guess(between)[0])
        if _LABEL.fullmatch(name) is None:  # some readers decode such a word, some show it as it stands
            out.append(charset.guess(match[1])[0])
        label = name
        pending.append(_payload(match[2], match[3]))
        end = match.end()
    if pending:
        out.append(charset.decode(b"".join(pending), label))
    if end < len(value):
        out.append(charset.guess(value[end:])[0])
    return out


def _payload(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return _HEX.sub(lambda match: binascii.unhexlify(match[1]), text.replace(b"_", b" "))
    digits = _NOT_BASE64.sub(b"", text)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
