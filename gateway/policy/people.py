"""Patterns for people in policies: an address, a domain, or a domain's subdomains.

`person@example.jp` is one mailbox, `example.jp` (or `@example.jp`) that domain exactly, `.example.jp` every domain below
it. An address that can be read in two ways fits a pattern only where that is the strict reading.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.message.address import Address, AddressError, normalise_domain, parse_path
from gateway.yaml_source import Hinted


def read_address(text: str) -> str:
    """Return the key of one mail address; raises `Hinted`."""
    if "*" in text:
        raise Hinted(f"no stars in addresses: {text!r}", "a domain stands for everybody in it: example.jp")
    if "@" not in text:
        raise Hinted(f"not a mail address: {text!r}", "write it as person@example.jp")
    try:
        address = parse_path(text)
    except AddressError as error:
        raise Hinted(f"not a mail address: {text!r} ({error})", "write it as person@example.jp") from None
    if address.ambiguous:
        raise Hinted(f"an address that can be read in two ways: {text!r}", "write it as person@example.jp")
    return address.key


def read_domain(text: str) -> str:
    """Return `example.jp` or `.example.jp` in A-label form; raises `Hinted`."""
    dot, name = ("." if text.startswith(".") else ""), text.removeprefix(".")
    if "*" in text:
        raise Hinted(f"no stars in domains: {text!r}", "a leading dot means every subdomain: .example.jp")
    if not name or "@" in name or any(sign.isspace() for sign in name):
        raise Hinted(f"not a domain: {text!r}", "write it as example.jp, or .example.jp for every subdomain")
    try:
        return dot + normalise_domain(name)
    except ValueError as error:
        raise Hinted(f"not a domain: {text!r} ({error})", "write it as example.jp") from None


def read_pattern(text: str) -> str:
    """Return the normal form of an address or domain pattern; raises `Hinted`."""
    if "@" in text.removeprefix("@"):
        return read_address(text)
    return read_domain(text.removeprefix("@"))


class People:
    """A set of patterns in normal form."""

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(patterns)
        self._addresses = frozenset(p for p in patterns if "@" in p)
        self._domains = frozenset(p for p in patterns if "@" not in p and not p.startswith("."))
        self._parents = frozenset(p[1:] for p in patterns if p.startswith("."))

    def include(self, address: Address, *, in_doubt: bool) -> bool:
        """Tell whether the address fits a pattern; an ambiguous one that may fit answers `in_doubt`."""
        fits = (
            address.key in self._addresses or address.domain in self._domains or self._below(address.domain)
        )
        return fits and (in_doubt or not address.ambiguous)

    def _below(self, domain: str) -> bool:
        if not self._parents:
            return False
        labels = domain.split(".")
        return any(".".join(labels[start:]) in self._parents for start in range(1, len(labels)))
