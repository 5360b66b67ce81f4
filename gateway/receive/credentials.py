"""What clients send after AUTH, decoded (RFC 4954, RFC 4616). Pure; what it returns is never logged."""

from __future__ import annotations

import base64
import binascii


class Malformed(Exception):
    """The response is no base64, no UTF-8, or not of the mechanism's form."""


def decode(response: str) -> bytes:
    """Return the octets of one response; `=` alone is the empty one (RFC 4954 section 4)."""
    if response == "=":
        return b""
    try:
        return base64.b64decode(response, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed from None


def text(octets: bytes) -> str:
    """Return octets as text; NUL has no place in a login or a password."""
    try:
        value = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed from None
    if "\0" in value:
        raise Malformed
    return value


def plain(response: str) -> tuple[str, str]:
    """Return login and password of a PLAIN response; acting for somebody else is not offered."""
    parts = decode(response).split(b"\0")
    if len(parts) != 3 or not parts[1]:
        raise Malformed
    on_behalf, login, password = (text(part) for part in parts)
    if on_behalf and on_behalf != login:
        raise Malformed
    return login, password
