"""The To field of a hiding copy: written new from parsed addresses, never edited, so a field we failed to read cannot leak.

Display names are not taken over: a name may hold an address. One mailbox a line keeps every line below the limits of RFC 5322
2.1.1 whatever the number of addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.message.address import Address
from gateway.message.text import encode_header

DEFAULT_GROUP = "undisclosed-recipients"
_DOT_ATOM = re.compile(
    r"[^\x00-\x20\x7f-\xa0\"(),.:;<>@\[\]\\]+(?:\.[^\x00-\x20\x7f-\xa0\"(),.:;<>@\[\]\\]+)*"
)
_QUOTED = re.compile(r'"(?:[^\x00-\x1f\x7f-\x9f"\\]|\\[\x20-\x7e])*+"')
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def to_field(items: Iterable[bytes]) -> bytes:
    """Return a To field with these mailboxes or groups; at least one."""
    return b"To: " + b",\r\n ".join(items) + b"\r\n"


def mailbox(address: Address, smtputf8: bool) -> bytes | None:
    """Return the address as a header field may hold it; None where it cannot (RFC 6532 without SMTPUTF8, controls)."""
    local = address.local
    if local.isascii() and _DOT_ATOM.fullmatch(local):  # nearly all, and there is no control in it
        return f"{local}@{address.domain}".encode()
    if _CONTROL.search(local) or not (smtputf8 or local.isascii()):
        return None
    return f"{_local(local)}@{address.domain}".encode()


def group(name: str) -> bytes:
    """Return an empty group (RFC 5322 3.4) with the display name, encoded where it is not ASCII (RFC 2047 5)."""
    clean = _CONTROL.sub(" ", name).strip() or DEFAULT_GROUP
    if _PHRASE.fullmatch(clean) and "=?" not in clean:
        return clean.encode("ascii") + b":;"
    if clean.isascii():
        return b'"' + re.sub(r'(["\\])', r"\\\1", clean).encode("ascii") + b'":;'
    return encode_header(clean) + b":;"


def _local(local: str) -> str:
    """Quote a local part that is no dot-atom, such as the `foo..bar` that Japanese carriers gave out."""
    if _DOT_ATOM.fullmatch(local) or _QUOTED.fullmatch(local):
        return local
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
