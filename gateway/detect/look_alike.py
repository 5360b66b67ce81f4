"""A domain that is nearly a known one: gmial.com, example.co.jp for example.com, a Cyrillic а in between.

Compared is the registrable domain by the public suffix list that the package ships: what one has to register to be it. Known
are the domains this organisation writes to and the common providers. A known domain resembles nobody, however near it lies
to another; short names are near to everything, so of them only the look counts. An index by deletions (as SymSpell's) makes
a question as fast with ten thousand known domains as with ten. Pure; the first question reads the shipped list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from publicsuffixlist import PublicSuffixList

from gateway.detect.confusable import skeleton
from gateway.detect.free_mail import PROVIDERS

MIN_LENGTH = 6  # characters of a name from which on one mistyped character is told
MIN_PROVIDER = 5  # the same for common providers: gmail has five
LONG = 8  # characters of a provider's name from which on two are told
MIN_SAME = 4  # characters of a name from which on another ending, or one of ASCII's own doubles, is told
MAX_KNOWN = 20_000  # domains that are indexed, the first ones: some 40 MB

_ENDINGS = frozenset(
    [
        "com",
        "net",
        "org",
        "jp",
        "co",
        "cm",
        "om",
        "biz",
        "info",
        "co.jp",
        "ne.jp",
        "or.jp",
        "ac.jp",
        "ed.jp",
        "go.jp",
        "lg.jp",
        "gr.jp",
        "ad.jp",
        "com.jp",
    ]
)


class KnownDomains(Collection[str]):
    """Domains that are known, ready to be compared with. Domains are normalised (A-labels, lower case)."""

    __slots__ = ("_by_deletion", "_by_look", "_domains")

    def __init__(self, domains: Collection[str] = ()) -> None:
        self._domains: dict[str, tuple[str, str]] = {}
        self._by_look: dict[str, list[str]] = {}
        self._by_deletion: dict[str, list[str]] = {}
        for domain in (*PROVIDERS, *domains):
            if len(self._domains) < MAX_KNOWN:
                self._add(domain)

    def __contains__(self, domain: object) -> bool:
        return domain in self._domains

    def __iter__(self) -> Iterator[str]:
        return iter(self._domains)

    def __len__(self) -> int:
        return len(self._domains)

    def nearest(self, domain: str) -> str | None:
        """Return the known registrable domain that a domain resembles, the one looking most like it."""
        whole, name, ending = registrable(domain)
        if whole in self._domains:
            return None
        pretended = self._pretended(domain)
        if pretended is not None or not whole:
            return pretended
        look = skeleton(name)
        same = [k for k in self._by_look.get(look, ()) if _looks_like(name, ending, *self._domains[k])]
        top = ending.rpartition(".")[2]
        return min(same, key=lambda k: not k.endswith("." + top), default=None) or self._mistyped(
            name, look, ending
        )

    def _add(self, domain: str) -> None:
        whole, name, ending = registrable(domain)
        if not whole or whole in self._domains:
            return
        self._domains[whole] = name, ending
        look = skeleton(name)
        self._by_look.setdefault(look, []).append(whole)
        if len(look) >= (MIN_PROVIDER if whole in PROVIDERS else MIN_LENGTH):
            for rest in _deletions(look, _distance(whole, look)):
                self._by_deletion.setdefault(rest, []).append(whole)

    def _pretended(self, domain: str) -> str | None:
        """Return the known domain that stands before another ending: gmail.com.example.net."""
        labels = domain.split(".")
        for count in range(2, len(labels)):
            start = ".".join(labels[:count])
            if start in self._domains and registrable(domain)[0] != start:
                return start
        return None

    def _mistyped(self, name: str, look: str, ending: str) -> str | None:
        seen: dict[str, int] = {}  # known domain -> typing errors
        for rest in _deletions(look, 2):
            for known in self._by_deletion.get(rest, ()):
                if known not in seen and self._domains[known][1] == ending:
                    seen[known] = self._typing_errors(name, look, known)
        nearest = min(seen, key=lambda known: (seen[known], known), default=None)
        return nearest if nearest is not None and seen[nearest] < _FAR else None

    def _typing_errors(self, name: str, look: str, known: str) -> int:
        """Return how many mistyped characters lie between; _FAR where too many, or where it is another number."""
        other = self._domains[known][0]
        known_look = skeleton(other)
        errors = distance(look, known_look)
        return errors if errors <= _distance(known, known_look) and not _only_digits(name, other) else _FAR


_FAR = 9


def resembles(domain: str, known: Collection[str]) -> str | None:
    """Return the known domain, or the common provider, that a normalised domain resembles; None where it resembles none.

    Where many domains are asked for, give a `KnownDomains`: anything else is indexed anew each time.
    """
    index = known if isinstance(known, KnownDomains) else KnownDomains(known)
    return index.nearest(domain)


def registrable(domain: str) -> tuple[str, str, str]:
    """Return the registrable domain, its name and its public suffix; empty for an address literal or a bare suffix."""
    if domain.startswith("["):
        return "", "", ""
    found = _suffixes().privatesuffix(domain)
    if not found:
        return "", "", ""
    name, _, ending = found.partition(".")
    return found, name, ending


def distance(one: str, other: str) -> int:
    """Return the number of characters left out, put in, exchanged, or swapped with their neighbour (Damerau)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, sign in enumerate(one, 1):
        before, last, row = row, before, [at]
        for n, against in enumerate(other, 1):
            cost = min(before[n] + 1, row[n - 1] + 1, before[n - 1] + (sign != against))
            if at > 1 and n > 1 and sign == other[n - 2] and one[at - 2] == against:
                cost = min(cost, last[n - 2] + 1)
            row.append(cost)
    return row[-1]


def _looks_like(name: str, ending: str, known_name: str, known_ending: str) -> bool:
    """Tell whether two different domains with names of one look are taken for each other."""
    if name == known_name:
        return len(name) >= MIN_SAME and {ending, known_ending} <= _ENDINGS
    foreign = name.startswith("xn--") or known_name.startswith("xn--")
    return ending == known_ending and (foreign or len(name) >= MIN_SAME)


def _distance(known: str, look: str) -> int:
    return 2 if known in PROVIDERS and len(look) >= LONG else 1


def _only_digits(name: str, other: str) -> bool:
    """Tell whether two names differ in digits alone: school1 and school2 are neighbours, not mistakes."""
    if len(name) != len(other):
        return False
    return all(a == b or (a.isdigit() and b.isdigit()) for a, b in zip(name, other, strict=True))


def _deletions(look: str, count: int) -> set[str]:
    """Return a name without up to `count` of its characters, in every way."""
    found = last = {look}
    for _ in range(count):
        last = {word[:at] + word[at + 1 :] for word in last for at in range(len(word))}
        found = found | last
    return found


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
