"""Whose mail it is: the one address that every recipient may see, because it is the sender's own.

Own are the reverse-path and the From address, but the latter only where it was read with confidence and stands alone: an
address that a broken From field happens to hold is nobody's own, and must not slip past what hides.
"""

from __future__ import annotations

from gateway.message.address import Address
from gateway.message.author import sole_author
from gateway.message.envelope import Envelope
from gateway.message.header import HeaderSection
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Author:
    """`address` is what a To line names in place of the recipients, None for the null sender; `own` is all that is theirs."""

    address: Address | None
    own: tuple[Address, ...]


def author_of(envelope: Envelope, header: HeaderSection) -> Author:
    """Find the author. A null sender gets no To line of their own, even where a From stands (bounces, auto-replies)."""
    single = sole_author(header)
    own = tuple(address for address in (single, envelope.sender) if address is not None)
    if envelope.sender is None:
        return Author(None, own)
    return Author(single or envelope.sender, own)
