"""From octets to facts: everything about one mail that a policy may ask for.

Promise: never raises on any octets; `visible` misses nobody whom a recipient could see in a field that names
people, and `confident` is False as soon as one such field was not understood to its last octet. Not its job:
inside or outside, which the policy's `internal` list decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.message.address import Address
from gateway.message.address_list import by_key, distinct, parse_mailboxes, scan
from gateway.message.address_plain import certain_addresses, plain_addresses
from gateway.message.address_scan import lenient, may_hold_address
from gateway.message.author import MAX_AUTHOR_OCTETS, sole_author
from gateway.message.envelope import Envelope
from gateway.message.facts import Attachment, Facts
from gateway.message.header import Field, HeaderSection, body_offset, split
from gateway.message.mime import Structure, may_hide_files, scan_structure
from gateway.message.revealing import ALWAYS_DROPPED, revealing, unknown
from gateway.message.text import decode_header

QUICK_HEADER_OCTETS = 6 << 10
"""Octets of a header section that is read in some 30 ms whatever it holds; 0.2 ms where it holds what mail holds."""

QUICK_DASHED_LINES = 200
"""Lines that begin with two hyphens, each perhaps a part, that are looked at in some 10 ms."""

QUICK_OCTETS = 1 << 20
"""Octets of a whole mail that are counted and searched in some 5 ms."""

MAX_SHOWN_OCTETS = 256 << 10
"""Octets of revealing fields that are read in one mail, some 5000 recipients; more is not confident. Bounds the time."""

_LISTS = frozenset(
    {
        "to",
        "cc",
        "bcc",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "reply-to",
        "resent-reply-to",
        "mail-followup-to",
    },
)
_AUTHORS = ("from", "sender")
_TYPED = re.compile(rb"\s*+(?:rfc822|utf-8)\s*+;", re.IGNORECASE)


def is_quick(raw: bytes) -> bool:
    """Tell whether no mail like this one, of its size, header section and number of parts, takes long to read: under 50 ms."""
    if len(raw) > QUICK_OCTETS:
        return False
    body_at = body_offset(raw)
    if body_at > QUICK_HEADER_OCTETS:
        return False
    return not _may_hold_parts(raw[:body_at]) or raw.count(b"\n--") <= QUICK_DASHED_LINES


def _may_hold_parts(section: bytes) -> bool:
    """Tell whether the mail's type may be one of those that are walked: its name stands in plain ASCII, or somehow else."""
    text = section.lower()
    if not text.isascii() or b"\x1b" in text:
        return True
    return b"multipart" in text or b"rfc822" in text or b"global" in text


def gather(envelope: Envelope, raw: bytes) -> Facts:
    """Gather the facts of one mail as it was received."""
    header, body_at = split(raw)
    structure = scan_structure(raw, header, body_at)
    sole = sole_author(header)
    authors, authors_read = _authors(header, sole)
    revealing_fields = revealing(header.fields)
    shown, confident = _shown(revealing_fields)
    blind = _blind(shown, revealing_fields)
    named, named_read = _recipients_named(header, envelope)
    if named:
        shown = by_key([*shown.values(), *named])
    if sole is None:  # several in From, or nobody knows how many: recipients see them as they see a To
        shown = by_key([*shown.values(), *_shown(header.all("from"))[0].values()])
    for own in (sole, envelope.sender):
        if own is not None:
            shown.pop(own.key, None)
    return Facts(
        envelope=envelope,
        header=header,
        visible=tuple(shown.values()),
        blind=blind,
        confident=confident and authors_read and named_read,
        authors=authors,
        subject=" ".join([decode_header(field.body) for field in header.all("subject")]),
        attachments=attachments(structure),
        size_bytes=len(raw),
        unclear=structure.unclear,
        machinery=may_hide_files(structure),
    )


def attachments(structure: Structure) -> tuple[Attachment, ...]:
    """Return the parts a person would call attachments, in order."""
    return tuple(
        [
            Attachment(part.name, part.size_bytes, part.content_type, part.inline)
            for part in structure.parts
            if part.is_attachment
        ],
    )


def _authors(header: HeaderSection, sole: Address | None) -> tuple[tuple[Address, ...], bool]:
    """Return who From and Sender name, and whether every such field was short enough to be read.

    Where a field cannot be read with confidence, it names everything it seems to name. `sole` is what is known of From.
    """
    unread = ("sender",) if sole is not None else _AUTHORS
    fields = [field for field in header.fields if field.name in unread]
    if not fields:
        return (() if sole is None else (sole,)), True
    found = [sole] if sole is not None else []
    for field in fields:
        if len(field.raw) <= MAX_AUTHOR_OCTETS:
            plain = plain_addresses(field.value)
            found += _read_author(field) if plain is None else plain
    return distinct(found), all(len(field.raw) <= MAX_AUTHOR_OCTETS for field in fields)


def _read_author(field: Field) -> list[Address]:
    boxes = parse_mailboxes(field.value)
    strict = [item.address for item in boxes.items]
    return strict if boxes.confident else [*strict, *lenient(field.body)]


def _shown(fields: Iterable[Field]) -> tuple[dict[str, Address], bool]:
    """Return the addresses that fields show, by key, strict and lenient together, and whether all were understood."""
    found: list[Address] = []
    confident = True
    left = MAX_SHOWN_OCTETS
    for field in fields:
        left -= len(field.raw)
        addresses, certain = _shown_by(field) if left >= 0 else ((), False)
        found += addresses
        confident = confident and certain
    return by_key(found), confident


def _recipients_named(header: HeaderSection, envelope: Envelope) -> tuple[list[Address], bool]:
    """Return the recipients whom fields of unknown meaning name, and whether all these fields were read.

    Other addresses there may be anything. A list of recipients under whatever name is one.
    """
    fields = [field for field in unknown(header.fields) if may_hold_address(field.value)]
    if not fields:
        return [], True
    left = MAX_SHOWN_OCTETS
    found: set[str] = set()
    for field in fields:
        left -= len(field.raw)
        if left < 0:
            return [], False
        found |= {address.key for address in scan(field.value)}
    return [address for address in envelope.recipients if found and address.key in found], True


def _blind(shown: Iterable[str], fields: tuple[Field, ...]) -> frozenset[str]:
    """Return the keys of those whom only fields show that never leave: nobody may be told that they get a copy."""
    leaving = [field for field in fields if field.name not in ALWAYS_DROPPED]
    if len(leaving) == len(fields):
        return frozenset()
    return frozenset(shown).difference(_shown(leaving)[0])


def _shown_by(field: Field) -> tuple[Iterable[Address], bool]:
    value = field.value
    if field.name not in _LISTS and not may_hold_address(value):
        return (), True  # `X-PMRQC: 1`, or a junk line that holds no address at all
    plain = certain_addresses(value)
    if plain is not None:
        return plain, field.name != ""
    typed = _TYPED.match(field.body)
    body = field.body[typed.end() :] if typed else field.body
    boxes = parse_mailboxes(body)
    # Folding can split an address only where the strict reading failed.
    loose = lenient(body.replace(b"\r\n", b"") if boxes.confident else body)
    return [*(item.address for item in boxes.items), *loose], boxes.confident and field.name != ""
