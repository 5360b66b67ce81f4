"""A task of `make bench`: what it measures, what it needs, and one round of it.

A round runs every contestant once, in turn, and yields each number as soon as it is there; the next round goes in the other
order, so that what drifts on a machine (heat, a neighbour, a filling disk) does not favour whoever always comes first.
Every round is bounded in count and time by the task itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.bench.figures import Absent, Figure, Sample

WORKERS = min(os.cpu_count() or 1, 8)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Load:
    """How much is done: `scale` multiplies every count, `number` is the round, from 0."""

    scale: float = 1.0
    workers: int = WORKERS
    number: int = 0

    def count(self, full: int, least: int = 20) -> int:
        """Return a count to this scale."""
        return max(round(full * self.scale), min(least, full))

    def seconds(self, full: float) -> float:
        """Return a length of time to this scale, half a second at least."""
        return max(full * self.scale, 0.5)

    def turn(self, contestants: Sequence[_T]) -> Sequence[_T]:
        """Return the contestants in the order of this round."""
        return contestants if self.number % 2 == 0 else contestants[::-1]


Round = Callable[[Load], Iterator[Sample | Absent]]


@dataclass(frozen=True, slots=True)
class Task:
    """One entry of the registry; `absent` says why it cannot run here, empty where it can."""

    name: str
    about: str
    figures: tuple[Figure, ...]
    run: Round
    absent: Callable[[], str] = lambda: ""
    rounds: int = 3  # where nobody asks for another number; what nothing is promised of has one
