"""A set of domains as policies write it: `example.jp` is that domain, `.example.jp` all its subdomains (not
itself).

Promise: only an address whose domain can be read in one way ever matches; an ambiguous address or an address
literal does not, so that a policy's `internal` list errs towards external.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.message.address import Address, normalise_domain


class DomainSet:
    """Domains and subdomain patterns, normalised. Raises AddressError for a pattern that is no domain."""

    __slots__ = ("_exact", "_parents")

    def __init__(self, patterns: Iterable[str]) -> None:
        exact: set[str] = set()
        parents: set[str] = set()
        for pattern in patterns:
            (parents if pattern.startswith(".") else exact).add(normalise_domain(pattern.removeprefix(".")))
        self._exact = frozenset(exact)
        self._parents = frozenset(parents)

    def matches(self, address: Address) -> bool:
        """Tell whether the address lies in one of the domains."""
        return not address.ambiguous and self.holds(address.domain)

    def holds(self, domain: str) -> bool:
        """Tell whether a normalised domain is in the set; address literals never are."""
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
