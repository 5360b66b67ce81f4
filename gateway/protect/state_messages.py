"""Whether a file in the form of S/MIME or of PGP is encrypted, by what it begins with (RFC 5652 3; RFC 9580 4, 6.2).

Signed is not encrypted: everybody can read what is inside. Nothing is decrypted.
"""

from __future__ import annotations

import base64
import binascii
import re

from gateway.protect.state_word import State

HEAD = 4096
"""Octets that are looked at; the first object of either form is shorter, but for keys, which are not encrypted."""

_ENVELOPED = (
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
    b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
)
"""Object identifiers: enveloped-data, and authEnveloped-data of RFC 5083."""

_CMS = re.compile(rb"0(?:[\x00-\x7f]|\x80|[\x81-\x84].{1,4}?)(\x06[\x09\x0b].{9,11})", re.DOTALL)
_ARMOUR = re.compile(
    rb"-----BEGIN (PGP MESSAGE|PKCS7|CMS)-----[^\n]{0,80}\n(?:[A-Za-z]+:[^\n]{0,200}\n){0,20}(?:[ \t\r]*\n)?"
    rb"([A-Za-z0-9+/=\r\n]+)"
)
_ENCRYPTED_PACKETS = frozenset({1, 3, 9, 18, 20})
"""Session keys by public key and by password, and the three forms of encrypted data."""

_COMPRESSED_OR_READABLE = frozenset({2, 4, 5, 6, 8, 10, 11, 13, 14})


def cms_state(octets: bytes) -> State:
    """Tell by the content type of the outermost object."""
    kind, body = _unarmoured(octets)
    match = _CMS.match(body)
    if kind not in (b"", b"PKCS7", b"CMS") or match is None:
        return State.UNREADABLE
    return State.ENCRYPTED if match[1].startswith(_ENVELOPED) else State.PLAIN


def pgp_state(octets: bytes) -> State:
    """Tell by the first packet; an armour that is no message (a key, a signature, a signed text) is readable."""
    kind, body = _unarmoured(octets)
    if octets.startswith(b"-----BEGIN PGP ") and kind != b"PGP MESSAGE":
        return (
            State.PLAIN
            if kind == b"" and not octets.startswith(b"-----BEGIN PGP MESSAGE")
            else State.UNREADABLE
        )
    if not body or not body[0] & 0x80:
        return State.PLAIN
    tag = body[0] & 0x3F if body[0] & 0x40 else (body[0] & 0x3F) >> 2
    if tag in _ENCRYPTED_PACKETS:
        return State.ENCRYPTED
    return State.PLAIN if tag in _COMPRESSED_OR_READABLE else State.UNREADABLE


def _unarmoured(octets: bytes) -> tuple[bytes, bytes]:
    """Return the word of the armour and the octets in it; no word and the octets as they are where there is none."""
    match = _ARMOUR.match(octets[:HEAD])
    if match is None:
        return b"", octets[:HEAD]
    digits = re.sub(rb"[\r\n]", b"", match[2])
    try:
        return match[1], base64.b64decode(digits[: len(digits) // 4 * 4])
    except binascii.Error:
        return match[1], b""
