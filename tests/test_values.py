"""Values: equal by what they hold, hashable where they are frozen, and made one way in all of the product."""

from __future__ import annotations

import re
from dataclasses import field, replace
from pathlib import Path

import pytest

import gateway
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A frozen value."""

    name: str
    seats: int = 0
    doors: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A frozen value with an order."""

    number: int


@dataclass(slots=True)
class Count:
    """A value that changes."""

    number: int


@dataclass(frozen=True, slots=True)
class Named:
    """A frozen value with a hash of its own."""

    name: str

    def __hash__(self) -> int:
        return 7


def test_frozen_values_are_equal_and_hash_by_what_they_hold() -> None:
    assert Place("hall", 3) == Place("hall", 3) != Place("hall", 4)
    assert len({Place("hall", 3), Place("hall", 3), replace(Place("hall"), seats=3)}) == 1
    assert Step(1) < Step(2)
    assert hash(Named("one")) == 7


def test_a_value_that_changes_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Count(1))


def test_values_hold_nothing_but_their_fields() -> None:
    with pytest.raises(AttributeError):
        Place("hall").rows = 3  # type: ignore[attr-defined]


def test_every_frozen_value_of_the_product_is_made_so() -> None:
    folder = Path(gateway.__file__).parent
    others = [
        path.relative_to(folder)
        for path in folder.rglob("*.py")
        if path.name != "values.py"
        and re.search(r"@dataclass\([^)]*frozen=True", path.read_text(encoding="utf-8"))
        and "from gateway.values import dataclass" not in path.read_text(encoding="utf-8")
    ]
    assert others == []
