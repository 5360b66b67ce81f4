"""The index of hidden addresses: finds every one of thousands in a text, in time linear in the text.

An address counts as found wherever its characters stand, whatever is around them: a typing error behind it, a word before
it. Only where a longer address that may be seen covers the place (`hanna@example.com` over `anna@example.com`) is that one
read. Also finds what stands for the `@` when an address becomes part of another (`ana=example.com`, `bounce+ana+example.com`,
`ana%example.com`, `ana_example.com#EXT#`), and domains as U-labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.message.address import Address
from gateway.message.header import Field
from gateway.transform.readings import fold, fold_with_origin, readings

_ESCAPED = re.compile(r"\\(.)")
_MARK = re.compile(r"[@=+%_#](?=([^@=+%_#][^@=+%_#]?))", re.DOTALL)
"""What stands before a domain: in an address, a variable envelope return path, a routed or a guest's address; and the first
two characters behind it."""
_SIMPLE_QUOTED = re.compile(r'"([^"\\\s]+)"')


class Locals:
    """The local parts known under one domain, and whether each is hidden; `lengths` longest first."""

    __slots__ = ("hidden", "lengths")

    def __init__(self) -> None:
        self.hidden: dict[str, bool] = {}
        self.lengths: tuple[int, ...] = ()


class _Node:
    """One character of the domains that are known; `known` where a domain ends here."""

    __slots__ = ("following", "known")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.known: Locals | None = None


class HiddenIndex:
    """Addresses to be found (`hidden`) and addresses that shield a place from being read as one (`allowed`).

    Domains are a tree of characters: an `@` costs what stands behind it, however many domains there are. The tree is built
    when the first `@` is met that stands before something like a hidden domain, which in most mails none does.
    """

    __slots__ = ("_addresses", "_allowed", "_depth", "_hidden", "_root", "_starts")

    def __init__(self, hidden: Iterable[Address], allowed: Iterable[Address] = ()) -> None:
        self._addresses = tuple(hidden)
        self._allowed = tuple(allowed)
        self._hidden = frozenset([_identity(address) for address in self._addresses])
        domains = {address.domain for address in self._addresses}
        names = [name for domain in domains for name in _names_of(domain)]
        self._depth = min([2, *map(len, names)])
        self._starts = frozenset([name[: self._depth] for name in names])
        self._root: _Node | None = None

    def holds(self, address: Address) -> bool:
        """Tell whether the address is a hidden one, however it is spelled: quoted, with needless backslashes."""
        return _identity(address) in self._hidden

    def in_field(self, field: Field) -> bool:
        """Tell whether a hidden address stands in any reading of the field."""
        return bool(self._hidden) and self.in_any(readings(field))

    def in_any(self, texts: Iterable[str]) -> bool:
        """Tell whether a hidden address stands in one of the texts."""
        return any(map(self.in_text, texts))

    def in_text(self, text: str) -> bool:
        """Tell whether a hidden address stands in the text."""
        return next(self._spans(fold(text)), None) is not None

    def mask(self, text: str, mark: str, *, same_length: bool = False) -> str:
        """Return the text with each hidden address replaced by `mark`, or by as many marks as it had characters."""
        folded, origin = fold_with_origin(text)
        for start, end in reversed(list(self._spans(folded))):
            first, last = origin[start], origin[end - 1] + 1
            text = text[:first] + (mark * (last - first) if same_length else mark) + text[last:]
        return text

    def _spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of each hidden address in a folded text; longest reading of each place first."""
        for match in _MARK.finditer(folded):
            found = self._at(folded, match.start()) if match[1][: self._depth] in self._starts else None
            if found is not None:
                yield found

    def _at(self, folded: str, at: int) -> tuple[int, int] | None:
        for end, known in self._domains_at(folded, at + 1):
            for size in known.lengths:
                start = at - size
                hidden = known.hidden.get(folded[start:at]) if start >= 0 else None
                if hidden is not None:
                    return (start, end) if hidden else None
        return None

    def _domains_at(self, folded: str, start: int) -> list[tuple[int, Locals]]:
        """Return the known domains that begin here, each with its end, the longest first."""
        if self._root is None:
            self._root = _tree(self._addresses, self._allowed)
        found: list[tuple[int, Locals]] = []
        node = self._root
        for end in range(start, len(folded)):
            following = node.following.get(folded[end])
            if following is None:
                break
            node = following
            if node.known is not None:
                found.append((end + 1, node.known))
        return found[::-1]


def _tree(hidden: Iterable[Address], allowed: Iterable[Address]) -> _Node:
    domains: dict[str, Locals] = {}
    for address in hidden:
        _add(domains, address, True)
    for address in allowed:
        _add(domains, address, False)
    root = _Node()
    for domain, known in domains.items():
        known.lengths = tuple(sorted({len(local) for local in known.hidden}, reverse=True))
        node = root
        for char in domain:
            node = node.following.setdefault(char, _Node())
        node.known = known
    return root


def _add(domains: dict[str, Locals], address: Address, hidden: bool) -> None:
    for domain in _names_of(address.domain):
        known = domains.setdefault(domain, Locals())
        for local in _spellings(fold(address.local)):
            known.hidden[local] = hidden


def _names_of(domain: str) -> tuple[str, ...]:
    """Return the folded forms in which a domain may stand in a text."""
    if "xn--" in domain:
        return fold(domain), fold(_u_labels(domain))
    return (fold(domain),)


def _identity(address: Address) -> str:
    """Return what two spellings of one mailbox have in common (RFC 5322 3.2.4: quotes and backslashes mean nothing)."""
    local = address.local
    if local.startswith('"'):
        local = _ESCAPED.sub(r"\1", local[1:-1])
    return f"{fold(local)}@{address.domain}"


def _spellings(local: str) -> set[str]:
    """A local part and the same one with needless quotes taken off or put on (RFC 5321 4.1.2: they mean the same)."""
    quoted = _SIMPLE_QUOTED.fullmatch(local)
    if quoted:
        return {local, quoted[1]}
    return {local} if local.startswith('"') else {local, f'"{local}"'}


def _u_labels(domain: str) -> str:
    """Return the domain as people read it; a label that is no valid Punycode stays as it is."""
    return ".".join(_u_label(label) for label in domain.split("."))


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
