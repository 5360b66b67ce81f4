"""Write header fields of our own mail as octets (RFC 5322 3).

Not with the standard library's message classes: those decode encoded words in what they are given, so that a subject or a
local part which decodes to a line break would become a header field of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.headerregistry import Address as Mailbox

from gateway.message.text import encode_header


def write_fields(fields: Mapping[str, bytes]) -> bytes:
    """Return a header section with its empty line; values are final octets, folded already where they are long."""
    return b"".join(b"%b: %b\r\n" % (name.encode("ascii"), value) for name, value in fields.items()) + b"\r\n"


def write_mailbox(name: str, address: str) -> bytes:
    """Return a From value: `name <address>`, the name encoded (RFC 2047) or quoted where it has to be."""
    if name.isascii():
        return str(Mailbox(name, addr_spec=address)).encode("ascii")
    return b"%b\r\n <%b>" % (encode_header(name), address.encode())
