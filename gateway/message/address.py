"""Mail addresses: parsed strictly where SMTP demands it, scanned leniently where something could leak.

An `Address` is compared by its `key`; the domain is in A-label form (RFC 5890), case-folded, without a trailing dot.
Whatever could be read in two ways is marked `ambiguous`, and the policy treats it as external.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox (RFC 5321 4.1.2): `local` in wire form (quotes kept), `domain` normalised or an address literal."""

    local: str
    domain: str
    ambiguous: bool = False

    @property
    def key(self) -> str:
        """Return the form two addresses are compared by: `TEST@` and `test@` are the same person."""
        return f"{self.local.casefold()}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Tell whether the next hop has to offer SMTPUTF8 (RFC 6531) for this address."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"
