"""Whether octets show an address to anybody who decodes them: written without any code of the product."""

from __future__ import annotations

import binascii
import html
import quopri
import re
from base64 import b64decode
from email.header import decode_header
from urllib.parse import unquote_to_bytes

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}(?:\r\n[A-Za-z0-9+/]+={0,2})*")
_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\r\n]*\?=")


def shows(octets: bytes, address: str) -> bool:
    """Tell whether the address stands in the octets plain, folded, quoted, percent- or base64-encoded, or as user=host."""
    wanted = (address.lower().encode(), address.lower().replace("@", "=").encode())
    for reading in _readings(octets):
        flat = re.sub(rb"\r\n[ \t]*|\s+(?=[@.])|(?<=[@.])\s+", b"", reading.lower())
        if any(form in reading.lower() or form in flat for form in wanted):
            return True
    return False


def _readings(octets: bytes) -> list[bytes]:
    plain = [octets, quopri.decodestring(octets), unquote_to_bytes(octets)]
    plain.append(html.unescape(octets.decode("utf-8", "replace")).encode("utf-8", "replace"))
    plain += [_words(match) for match in _WORD.findall(octets)]
    return plain + [_base64(match) for match in _BASE64.findall(octets)]


def _words(word: bytes) -> bytes:
    value = decode_header(word.decode("ascii", "replace"))[0][0]
    return value if isinstance(value, bytes) else value.encode()


def _base64(text: bytes) -> bytes:
    try:
        return b64decode(re.sub(rb"\s", b"", text) + b"==")
    except binascii.Error:
        return b""
