"""Ranges in policy files: how many, how large. Both bounds are included, and one of them must stand there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from pydantic import model_validator

from gateway.policy import values
from gateway.policy.parts import Part, told
from gateway.yaml_source import Hinted

NumberTest = Callable[[int], bool]


class Range(Part):
    """How many: both bounds are included."""

    at_least: values.Count | None = told("この数以上", "this many or more")
    at_most: values.Count | None = told("この数以下", "this many or fewer")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check_range(self.at_least, self.at_most)
        return self


class SizeRange(Part):
    """How large: both bounds are included."""

    at_least: values.Octets | None = told("この大きさ以上", "this size or more")
    at_most: values.Octets | None = told("この大きさ以下", "this size or less")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check_range(self.at_least, self.at_most)
        return self


def check_range(at_least: int | None, at_most: int | None) -> None:
    """Raise `Hinted` for a range without a bound, or that no number lies in."""
    if at_least is None and at_most is None:
        raise Hinted("no bound stands here", "write at_least: or at_most:")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise Hinted(f"can never match: at_least {at_least} is above at_most {at_most}", "exchange the two")


def between(at_least: int | None, at_most: int | None) -> NumberTest:
    """Return the test that a number lies in the range."""
    low = at_least or 0
    if at_most is None:
        return lambda number: number >= low
    return lambda number: low <= number <= at_most
