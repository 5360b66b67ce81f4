"""All targets by name, each with its dictionary and the longest input that is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import (
    target_addresses,
    target_copies,
    target_header,
    target_mime,
    target_policy,
    target_session,
)

ROOT = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Target:
    """`check` raises where a law does not hold; `longest` is in octets."""

    check: Callable[[bytes], None]
    dictionary: str
    longest: int = 4096

    @property
    def words(self) -> Path:
        return ROOT / "dictionaries" / f"{self.dictionary}.dict"


TARGETS = {
    "header": Target(target_header.check, "mime"),
    "mime": Target(target_mime.check, "mime"),
    "addresses": Target(target_addresses.check, "mime", 1024),
    "session": Target(target_session.check, "smtp"),
    "policy": Target(target_policy.check, "yaml", 2048),
    "copies": Target(target_copies.check, "mime"),
}


def corpus(name: str) -> Path:
    """Return the folder of small files that were written for a target, or that fuzzing found."""
    return ROOT / "corpus" / name
