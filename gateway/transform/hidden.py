"""The index of hidden addresses: finds every one of thousands in a text, in time linear in the text.

An address counts as found wherever its characters stand, whatever is around them: a typing error behind it, a word before
it. Only where a longer address that may be seen covers the place (`hanna@example.com` over `anna@example.com`) is that one
read. Also finds the `ana=example.com` of variable envelope return paths, and domains as U-labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.message.address import Address
from gateway.message.header import Field
from gateway.transform.readings import fold, fold_with_origin, readings

_AT = re.compile("[@=]")
_SIMPLE_QUOTED = re.compile(r'"([^"\\\s]+)"')


class Locals:
    """The local parts known under one domain, and whether each is hidden; `lengths` longest first."""

    __slots__ = ("hidden", "lengths")

    def __init__(self) -> None:
        self.hidden: dict[str, bool] = {}
        self.lengths: tuple[int, ...] = ()


class HiddenIndex:
    """Addresses to be found (`hidden`) and addresses that shield a place from being read as one (`allowed`)."""

    __slots__ = ("_domain_lengths", "_domains")

    def __init__(self, hidden: Iterable[Address], allowed: Iterable[Address] = ()) -> None:
        self._domains: dict[str, Locals] = {}
        for address in hidden:
            self._add(address, True)
        for address in allowed:
            self._add(address, False)
        for known in self._domains.values():
            known.lengths = tuple(sorted({len(local) for local in known.hidden}, reverse=True))
        self._domain_lengths = tuple(sorted({len(domain) for domain in self._domains}, reverse=True))

    def _add(self, address: Address, hidden: bool) -> None:
        for domain in {address.domain, _u_labels(address.domain)}:
            known = self._domains.setdefault(fold(domain), Locals())
            for local in _spellings(fold(address.local)):
                known.hidden[local] = hidden

    def in_field(self, field: Field) -> bool:
        """Tell whether a hidden address stands in any reading of the field."""
        return bool(self._domains) and any(self.in_text(text) for text in readings(field))

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
        for match in _AT.finditer(folded):
            found = self._at(folded, match.start())
            if found is not None:
                yield found

    def _at(self, folded: str, at: int) -> tuple[int, int] | None:
        for length in self._domain_lengths:
            end = at + 1 + length
            known = self._domains.get(folded[at + 1 : end])
            if known is None or end > len(folded):
                continue
            for size in known.lengths:
                start = at - size
                hidden = known.hidden.get(folded[start:at]) if start >= 0 else None
                if hidden is not None:
                    return (start, end) if hidden else None
        return None


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
