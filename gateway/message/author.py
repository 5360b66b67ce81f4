"""Whose mail it is, as the header section says it: the one address in From, where nothing about it is in doubt.

Counting and hiding both ask this one question. An address that a broken From happens to hold, or that stands there beside
others, is nobody's own: it must neither drop out of the count nor slip past what hides.
"""

from __future__ import annotations

from gateway.message.address import Address
from gateway.message.address_list import parse_mailboxes
from gateway.message.address_plain import plain_addresses
from gateway.message.header import HeaderSection

MAX_AUTHOR_OCTETS = 8 << 10
"""Octets of one From or Sender field that are read; nobody behind a longer one counts as its author."""


def sole_author(header: HeaderSection) -> Address | None:
    """Return the address of From: where there is one From, read with confidence, with one address; else None."""
    fields = header.all("from")
    if len(fields) != 1 or len(fields[0].raw) > MAX_AUTHOR_OCTETS:
        return None
    value = fields[0].value
    plain = plain_addresses(value)
    if plain is None:
        read = parse_mailboxes(value)
        plain = tuple([item.address for item in read.items]) if read.confident else ()
    return plain[0] if len(plain) == 1 and not plain[0].ambiguous else None
