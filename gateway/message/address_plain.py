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

_ADDRESS = r"([\w+=&~^-][\w.+=&~^-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})"
_NAME = r"""(?:[\w.\- \t]++|"[\w.,'\- \t]*+"|=\?[\w-]++\?[bBqQ]\?[\w+/=.-]*+\?=(?=[ \t<]))*+"""
_ENTRY = re.compile(rf"[ \t]*+(?:{_ADDRESS}|{_NAME}<{_ADDRESS}>)[ \t]*+(?:,|\Z)", re.ASCII)


def plain_addresses(value: bytes) -> tuple[Address, ...] | None:
    """Return the addresses of an unfolded value, or None where it is anything but plain."""
    if len(value) > MAX_PLAIN or not value.isascii():
        return None
    text = value.decode("ascii")
    found: list[Address] = []
    at = 0
    try:
        while at < len(text):
            match = _ENTRY.match(text, at)
            if match is None:
                return None
            bare, its_domain, local, domain = match.groups()
            found.append(Address(bare or local, normalise_domain(its_domain or domain)))
            at = match.end()
    except AddressError:
        return None
    return tuple(found)


def certain_addresses(value: bytes) -> tuple[Address, ...] | None:
    """Return the addresses of an unfolded value, or None where it is not plain or an encoded word may hold one more."""
    plain = plain_addresses(value)
    if plain is None or b"=?" not in value or at_signs(decode_header(value)) == len(plain):
        return plain
    return None
