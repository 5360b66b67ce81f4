"""Answers that may be unknown: yes, no or None; and counts of which only the least and the most are known.

What was looked up may be missing or cut short. In doubt, a `when` takes the answer that fits and an `unless` the one that does
not (`in_doubt`), so that what nobody could read slips past no rule and into no exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.policy.conditions.context import Test
from gateway.policy.mail import Mail

Answer = Callable[[Mail], bool | None]


class Counted(NamedTuple):
    """How many there are: at least, and at most (None: nobody knows)."""

    least: int
    most: int | None


NOBODY_KNOWS = Counted(0, None)
NOTHING_THERE = Counted(0, 0)


def asked(wanted: bool, answer: Answer, in_doubt: bool) -> Test:
    """Return the test that the answer is the wanted one."""

    def test(mail: Mail) -> bool:
        found = answer(mail)
        return in_doubt if found is None else found is wanted

    return test


def in_range(
    at_least: int | None, at_most: int | None, count: Callable[[Mail], Counted], in_doubt: bool
) -> Test:
    """Return the test that the number lies in the range: may it (`when`), or does it certainly (`unless`)?"""
    low = at_least or 0

    def may(mail: Mail) -> bool:
        least, most = count(mail)
        return (most is None or most >= low) and (at_most is None or least <= at_most)

    def must(mail: Mail) -> bool:
        least, most = count(mail)
        return least >= low and (at_most is None or (most is not None and most <= at_most))

    return may if in_doubt else must


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Return whether one of them is yes; None where none is, and one is unknown."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Return whether all of them are yes; None where none is no, and one is unknown."""
    unknown = False
    for answer in answers:
        if answer is False:
            return False
        unknown = unknown or answer is None
    return None if unknown else True


def count(answers: Iterable[bool | None]) -> Counted:
    """Return how many of them are yes."""
    found = list(answers)
    return Counted(found.count(True), len(found) - found.count(False))
