"""Who carries text messages: what the adapters of carriers have in common, and secrets from their files.

An adapter knows one carrier's requests, answers and receipts; it decides nothing about when and how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gateway.channels.contract import Health, NotSent, Why
from gateway.values import dataclass

MAX_SECRET = 4096  # octets of a file with a secret


@dataclass(frozen=True, slots=True)
class TextMessage:
    """One message. `id` is the same however often it is sent."""

    id: str
    to: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came to a carrier's address for receipts; the names of `headers` are in lower case."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. `arrived` is None where that is not known yet."""

    name: str
    arrived: bool | None


class Forged(Exception):
    """A receipt that the carrier did not sign, or that is old."""


class Unreadable(Exception):
    """A signed receipt that says nothing we understand."""


class Carrier(Protocol):
    """`name` stands in the address for receipts and before their names."""

    @property
    def name(self) -> str:
        """Return the adapter's name."""

    async def carry(self, message: TextMessage) -> str:
        """Hand a message over and return the carrier's name for it; raises NotSent."""

    def receipt(self, posted: Posted, now: datetime) -> Receipt:
        """Read a receipt; raises Forged, Unreadable, and NotSent (credentials) where no secret can be read."""

    async def health(self) -> Health:
        """Tell whether the carrier knows us, without a message."""

    async def close(self) -> None:
        """Close the connections."""


def secret_in(path: Path) -> str:
    """Return what a file holds, read anew so that it can be changed; raises NotSent (credentials) where it holds nothing."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NotSent(Why.CREDENTIALS) from None
    if not text or not text.isprintable():
        raise NotSent(Why.CREDENTIALS)
    return text
