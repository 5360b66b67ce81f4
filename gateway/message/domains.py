"""A set of domains as policies write it: `example.jp` is that domain, `.example.jp` all its subdomains (not
itself).

Promise: only an address whose domain can be read in one way ever matches; an ambiguous address or an address
literal does not, so that a policy's `internal` list errs towards external.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from gateway.message.address import Address, normalise_domain

_REMEMBERED = 1024
"""Domains of which a set remembers whether it holds them: the same few come with every mail."""


class DomainSet:
    """Domains and subdomain patterns, normalised. Raises AddressError for a pattern that is no domain.

    `holds` tells whether a normalised domain is in the set; address literals never are.
    """

    __slots__ = ("_exact", "_parents", "holds")

    def __init__(self, patterns: Iterable[str]) -> None:
        exact: set[str] = set()
        parents: set[str] = set()
        for pattern in patterns:
            (parents if pattern.startswith(".") else exact).add(normalise_domain(pattern.removeprefix(".")))
        self._exact = frozenset(exact)
        self._parents = frozenset(parents)
        self.holds: Callable[[str], bool] = lru_cache(_REMEMBERED)(self._holds)

    def matches(self, address: Address) -> bool:
        """Tell whether the address lies in one of the domains."""
        return not address.ambiguous and self.holds(address.domain)

    def _holds(self, domain: str) -> bool:
        if domain in self._exact:
            return True
        if not self._parents or domain.startswith("["):
            return False
        at = domain.find(".")
        while at >= 0:
            if domain[at + 1 :] in self._parents:
                return True
            at = domain.find(".", at + 1)
        return False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DomainSet):
            return NotImplemented
        return (self._exact, self._parents) == (other._exact, other._parents)

    def __hash__(self) -> int:
        return hash((self._exact, self._parents))

    def __repr__(self) -> str:
        return f"DomainSet({sorted(self._exact) + ['.' + parent for parent in sorted(self._parents)]!r})"


@lru_cache(16)
def domain_set(patterns: tuple[str, ...]) -> DomainSet:
    """Return the set of these patterns, made once: every mail that one policy decided brings the same."""
    return DomainSet(patterns)
