"""What becomes of each header field in a copy that hides: kept as it is, written new, or dropped.

The rules and their reasons stand in docs/decisions/0004-what-hides.md. Promise: a field that is kept keeps every octet; what
is written new shows no hidden address in any reading; what cannot be shown to be harmless is dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.message.address_list import parse_mailboxes
from gateway.message.header import Field
from gateway.message.revealing import (
    ALWAYS_DROPPED,
    RECIPIENT_FIELDS,
    REPLY_FIELDS,
    STRUCTURE_FIELDS,
    STRUCTURE_PREFIXES,
)
from gateway.message.text import decode_header, encode_header
from gateway.transform.content_field import mask_content
from gateway.transform.readings import readings
from gateway.transform.to_line import mailbox
from gateway.transform.veil import Veil

MASK = "***"


def hide(field: Field, veil: Veil, smtputf8: bool) -> bytes | None:
    """Return the octets of the field in a hiding copy, `field.raw` itself where it stays; None where it must not leave."""
    name = field.name
    if not name or name in RECIPIENT_FIELDS or name in ALWAYS_DROPPED:
        return None
    rewrite = None if name in REPLY_FIELDS else _rewrite_of(name)
    if rewrite is None:
        return None if veil.shows_anybody(field) else field.raw
    return rewrite(field, veil, smtputf8) if veil.reveals(field) else field.raw


Rewrite = Callable[[Field, Veil, bool], bytes | None]


def _rewrite_of(name: str) -> Rewrite | None:
    """Return what to do with a field in which a hidden address was found; None for a field of unknown meaning."""
    if name.startswith("content-"):
        return _mask_content
    if name in STRUCTURE_FIELDS or name.startswith(STRUCTURE_PREFIXES):  # dropped for a hidden address only
        return _drop
    return _REWRITES.get(name)


def _drop(field: Field, veil: Veil, smtputf8: bool) -> bytes | None:
    return None


def _mask_content(field: Field, veil: Veil, smtputf8: bool) -> bytes | None:
    return mask_content(field, veil.index)


def _subject(field: Field, veil: Veil, smtputf8: bool) -> bytes:
    """Write the subject new, readable but for the addresses in it; all of it masked where that does not suffice."""
    for text in (decode_header(field.value), *readings(field)):
        masked = veil.index.mask(text, MASK)
        new = Field("subject", b"Subject: " + encode_header(masked) + b"\r\n")
        if masked != text and not veil.reveals(new):
            return new.raw
    return f"Subject: {MASK}\r\n".encode()


def _from(field: Field, veil: Veil, smtputf8: bool) -> bytes | None:
    """Write From with bare addresses; where none can be shown, the author's, and for nobody an empty group (RFC 6854)."""
    bare = _bare(field, veil, smtputf8)
    if bare is None and veil.author.address is not None:
        bare = mailbox(veil.author.address, smtputf8)
    return b"From: " + (bare or b"undisclosed-sender:;") + b"\r\n"


def _sender(field: Field, veil: Veil, smtputf8: bool) -> bytes | None:
    bare = _bare(field, veil, smtputf8)
    return None if bare is None else b"Sender: " + bare + b"\r\n"


def _bare(field: Field, veil: Veil, smtputf8: bool) -> bytes | None:
    """Return the field's addresses without display names, those that are not hidden; None where none is left."""
    read = parse_mailboxes(field.value)
    if not read.confident:
        return None
    index = veil.index
    addresses = (item.address for item in read.items if not index.holds(item.address))
    shown = (mailbox(each, smtputf8) for each in addresses if not index.in_text(str(each)))
    return b",\r\n ".join(one for one in shown if one is not None) or None


_REWRITES: dict[str, Rewrite] = {"from": _from, "sender": _sender, "subject": _subject}
