"""The frame of hiding copies: all of the header section but the To field, with the place where the To goes.

Copies of one kind (same companions, same tags, internal people shown or not) share a frame, octet for octet.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.message.address import Address
from gateway.message.header import Field, HeaderSection
from gateway.message.text import encode_header
from gateway.transform.hiding import hide
from gateway.transform.to_line import DEFAULT_GROUP, group, mailbox
from gateway.transform.trace import Added
from gateway.transform.veil import Veil
from gateway.values import dataclass

_PLACE_OF_TO = frozenset({"to", "cc"})


@dataclass(frozen=True, slots=True)
class Frame:
    """`before` and `after` surround the To field; `named` are those shown in it besides a recipient, by key."""

    before: bytes
    after: bytes
    named: dict[str, bytes]
    blind: tuple[bytes, ...]

    def to_of(self, own: Address, smtputf8: bool) -> tuple[bytes, ...]:
        """Return the entries of the To of an individual copy: the recipient, then whom they may see."""
        written = mailbox(own, smtputf8)
        if written is None:
            return self.blind
        if not self.named or own.key not in self.named:
            return (written, *self.named.values())
        return (written, *(octets for key, octets in self.named.items() if key != own.key))


def build_frame(
    header: HeaderSection,
    added: Added,
    tags: tuple[tuple[str, str], ...],
    veil: Veil,
    to_group: str | None,
    smtputf8: bool,
) -> Frame:
    """Hide what the veil hides; see docs/decisions/0004-what-hides.md."""
    place = next(
        (at for at, field in enumerate(header.fields) if field.name in _PLACE_OF_TO), len(header.fields)
    )
    above = _hidden(header.fields[:place], veil, smtputf8)
    below = _hidden(header.fields[place:], veil, smtputf8)
    named = {address.key: octets for address, octets in _written(veil.listed, smtputf8)}
    return Frame(
        before=added.to(above + below) + tag_fields(tags) + _octets(above),
        after=_octets(below) + b"\r\n",
        named=named,
        blind=_blind(veil, named, to_group, smtputf8),
    )


def without_tags(
    header: HeaderSection,
    tags: tuple[tuple[str, str], ...],
    tag_names: Iterable[str],
    others: Iterable[str] = (),
) -> HeaderSection:
    """Drop fields that bear the name of a tag, of this copy or of any rule: only the policy may set one; and `others`."""
    return header.drop(*[name for name, _ in tags], *tag_names, *others)


def tag_fields(tags: tuple[tuple[str, str], ...]) -> bytes:
    """Return the fields the policy asks for."""
    return b"".join(name.encode("ascii") + b": " + encode_header(value) + b"\r\n" for name, value in tags)


def _hidden(fields: Iterable[Field], veil: Veil, smtputf8: bool) -> tuple[Field, ...]:
    pairs = ((field.name, hide(field, veil, smtputf8)) for field in fields)
    return tuple(Field(name, raw) for name, raw in pairs if raw is not None)


def _octets(fields: Iterable[Field]) -> bytes:
    """Join fields; one that ends without CRLF (a mail without a body) gets it, so that nothing runs into it."""
    return b"".join(field.raw if field.raw.endswith(b"\r\n") else field.raw + b"\r\n" for field in fields)


def _written(addresses: Iterable[Address], smtputf8: bool) -> Iterable[tuple[Address, bytes]]:
    for address in addresses:
        octets = mailbox(address, smtputf8)
        if octets is not None:
            yield address, octets


def _blind(veil: Veil, named: dict[str, bytes], to_group: str | None, smtputf8: bool) -> tuple[bytes, ...]:
    """Return the entries of the To of a copy for all: the author or an empty group, then whom all may see."""
    author = veil.author.address
    own = mailbox(author, smtputf8) if author is not None and to_group is None else None
    if author is None or own is None:
        return (group(to_group or DEFAULT_GROUP), *named.values())
    return (own, *(octets for key, octets in named.items() if key != author.key))
