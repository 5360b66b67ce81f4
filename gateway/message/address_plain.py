"""The short cut for address lists as nearly all mail writes them: `a@example.jp, Name <b@example.jp>`.

Promise: answers only where the strict reading would be confident and the lenient scan would find exactly the
same (a property test compares); otherwise None, and the caller reads in full. Encoded words may stand in
names; `plain_addresses` does not look at what they decode to, `certain_addresses` does.
"""

from __future__ import annotations

import re

from gateway.message.address import Address, AddressError, normalise_domain
from gateway.message.address_scan import at_signs
from gateway.message.text import decode_header

MAX_PLAIN = 128 << 10
"""Octets of a value that are read here, as many as the strict reading takes."""

_ADDRESS = rb"([\w+=&~^-][\w.+=&~^-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})"
_NAME = rb"""(?:[\w.\- \t]++|"[\w.,'\- \t]*+"|=\?[\w-]++\?[bBqQ]\?[\w+/=.-]*+\?=(?=[ \t<]))*+"""
_ENTRY = re.compile(rb"[ \t]*+(?:" + _ADDRESS + rb"|" + _NAME + rb"<" + _ADDRESS + rb">)[ \t]*+(?:,|\Z)")


def plain_addresses(value: bytes) -> tuple[Address, ...] | None:
    """Return the addresses of an unfolded value, or None where it is anything but plain."""
    found: list[Address] = []
    at = 0
    if len(value) > MAX_PLAIN:
        return None
    while at < len(value):
        match = _ENTRY.match(value, at)
        if match is None:
            return None
        local, domain = (match[1], match[2]) if match[1] else (match[3], match[4])
        try:
            found.append(Address(local.decode("ascii"), normalise_domain(domain.decode("ascii"))))
        except AddressError:
            return None
        at = match.end()
    return tuple(found)


def certain_addresses(value: bytes) -> tuple[Address, ...] | None:
    """Return the addresses of an unfolded value, or None where it is not plain or an encoded word may hold one more."""
    plain = plain_addresses(value)
    if plain is None or b"=?" not in value or at_signs(decode_header(value)) == len(plain):
        return plain
    return None
