"""What a hiding copy may show, and whether a field shows more.

Hidden are the external envelope recipients and every external address that a revealing field shows, without the author's own
and the companions; with `hide_internal` also the internal ones among them. Individual copies share one veil: a recipient's own
address, too, is written only in their To, so that thousands of copies differ in one field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.message.address import Address
from gateway.message.address_list import parse_mailboxes, scan
from gateway.message.address_plain import certain_addresses
from gateway.message.domains import DomainSet
from gateway.message.embedded import embedded
from gateway.message.envelope import Envelope
from gateway.message.header import Field, HeaderSection
from gateway.message.revealing import ALWAYS_DROPPED, AUTHOR_FIELDS, is_revealing
from gateway.transform.author import Author
from gateway.transform.hidden import HiddenIndex
from gateway.transform.readings import readings
from gateway.values import dataclass

_LISTED = ("to", "cc")


@dataclass(frozen=True, slots=True)
class Seen:
    """The addresses a mail shows: `listed` in To and Cc, as addresses; `known` in all revealing fields and the envelope.

    An address that stands only in the display name of another, or in a comment, is known but not listed.
    """

    listed: dict[str, Address]
    known: dict[str, Address]


@dataclass(frozen=True, slots=True)
class Veil:
    """What hides in all copies of one kind; `listed` is who may be named in the To that is written."""

    internal: DomainSet
    author: Author
    may_show: frozenset[str]
    index: HiddenIndex
    listed: tuple[Address, ...]

    def reveals(self, field: Field) -> bool:
        """Tell whether the field holds a hidden address in any reading; a field of authors is read as a list, too."""
        if self.index.in_field(field):
            return True
        return field.name in AUTHOR_FIELDS and any(self.index.holds(found) for found in scan(field.value))

    def shows_anybody(self, field: Field) -> bool:
        """Tell whether any reading shows a hidden address, or any external one that may not be seen: of nobody, too, we ever
        heard of."""
        texts = readings(field)
        if not texts:
            return False
        if self.index.in_any(texts):
            return True
        octets = dict.fromkeys((field.body.strip(b" \t\r\n"), *map(_octets, texts)))
        return any(self.is_outsider(found) for text in octets for found in scan(text))

    def is_outsider(self, address: Address) -> bool:
        return address.key not in self.may_show and not self.internal.matches(address)


def seen_in(header: HeaderSection, envelope: Envelope) -> Seen:
    """Gather who is shown, by strict reading and lenient scan together, and who receives."""
    known = {address.key: address for address in envelope.recipients}
    listed: dict[str, Address] = {}
    for field in header.fields:
        if not (is_revealing(field) or field.name in ALWAYS_DROPPED):
            continue
        value = field.value
        plain = certain_addresses(value)
        every = {address.key: address for address in (scan(value) if plain is None else plain)}
        known |= every
        if field.name in _LISTED:
            read = parse_mailboxes(value) if plain is None else None
            listed |= (
                {each.address.key: each.address for each in read.items} if read and read.confident else every
            )
    spelled = [embedded(address) for address in known.values() if "=" in address.local]
    for address in spelled:
        if address is not None:
            known.setdefault(address.key, address)
    return Seen(listed, known)


def draw_veil(
    seen: Seen, author: Author, internal: DomainSet, companions: Iterable[str], hide_internal: bool
) -> Veil:
    """Decide what may be seen by recipients with these companions."""
    own = frozenset(address.key for address in author.own)
    may_show = own | frozenset(companions)
    hides = _hides(internal, hide_internal)
    hidden = [address for key, address in seen.known.items() if key not in may_show and hides(address)]
    hidden_keys = {address.key for address in hidden}
    allowed = [*author.own, *(address for key, address in seen.known.items() if key not in hidden_keys)]
    index = HiddenIndex(hidden, allowed)
    listed = (address for key, address in seen.listed.items() if key not in hidden_keys)
    # `ana=example.com@list.example.jp` is an address inside that shows one outside.
    named = tuple(address for address in listed if not index.in_text(str(address)))
    return Veil(internal, author, may_show, index, named)


def _hides(internal: DomainSet, hide_internal: bool) -> Callable[[Address], bool]:
    if hide_internal:
        return lambda _: True
    return lambda address: not internal.matches(address)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
