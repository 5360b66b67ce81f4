"""The four words for how far a file is protected already."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class State(StrEnum):
    """Whether a file opens without a key."""

    PLAIN = "plain"
    ENCRYPTED = "encrypted"
    PARTLY = "partly"  # an archive some members of which open without a key
    UNREADABLE = "unreadable"  # damaged, or made in a way that cannot be told


def joined(sealed: Iterable[bool]) -> State:
    """Return the state of an archive by whether each of its members is sealed; an empty one is plain."""
    kinds = frozenset(sealed)
    if kinds == {True, False}:
        return State.PARTLY
    return State.ENCRYPTED if kinds == {True} else State.PLAIN
