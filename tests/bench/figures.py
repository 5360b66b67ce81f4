"""What is measured and what was promised of it: figures, aims, and the arithmetic between runs and a verdict.

Pure: no clock, no files, no processes. A figure is one line of the table. Its runs come from a series (several figures may
read one series), its ratio is always ours divided by theirs, and its verdict is none where nothing was promised or where a
run is missing: what was not measured is never counted as reached.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

OURS = "sekisho"
POSTFIX = "postfix"


@dataclass(frozen=True, slots=True)
class Aim:
    """A promise: the ratio to the peer, or our own value, is at least or at most so much."""

    of: Literal["ratio", "value"]
    bound: Literal["least", "most"]
    number: float

    def met(self, number: float) -> bool:
        """Tell whether a number keeps the promise."""
        return number >= self.number if self.bound == "least" else number <= self.number

    def share(self, number: float) -> float:
        """Return how much of the promise a number is: 1 keeps it exactly, more is better, whichever the bound."""
        if self.bound == "least":
            return number / self.number
        return self.number / number if number > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `aim` is a promise, or the reason why there is none; without a `peer` there is no ratio."""

    name: str
    title: str
    unit: str
    aim: Aim | str
    better: Literal["more", "less"] = "more"
    ours: str = OURS
    peer: str = POSTFIX
    series: str = ""

    @property
    def read_from(self) -> str:
        """Return the series with this figure's runs."""
        return self.series or self.name


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one contestant."""

    series: str
    who: str
    value: float


@dataclass(frozen=True, slots=True)
class Absent:
    """A contestant that could not run, and why."""

    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A figure with its runs: what the table, the plot and the machine-readable file are written from."""

    task: str
    figure: Figure
    ours: Sequence[float] = ()
    theirs: Sequence[float] = ()
    missing: str = ""
    ratio: float | None = field(init=False)
    reached: bool | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", ratio(self.ours, self.theirs))
        object.__setattr__(self, "reached", reached(self.figure.aim, self.measured))

    @property
    def measured(self) -> float | None:
        """Return the number that the aim is about."""
        of_ratio = isinstance(self.figure.aim, Aim) and self.figure.aim.of == "ratio"
        return self.ratio if of_ratio else median(self.ours)


def median(runs: Sequence[float]) -> float | None:
    """Return the median, None without runs."""
    return statistics.median(runs) if runs else None


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """Return our median divided by theirs, None where one is missing or theirs is nothing."""
    mine, other = median(ours), median(theirs)
    return None if mine is None or not other else mine / other


def reached(aim: Aim | str, measured: float | None) -> bool | None:
    """Return whether the promise is kept; None where there is none or nothing to compare."""
    return None if measured is None or isinstance(aim, str) else aim.met(measured)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0-1) of all do not exceed (nearest rank)."""
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    rank = max(1, -int(-share * len(values) // 1))
    return sorted(values)[rank - 1]


def outcomes(
    task: str, figures: Iterable[Figure], samples: Iterable[Sample], absent: Mapping[str, str]
) -> list[Outcome]:
    """Sort the runs of a task under its figures."""
    runs: dict[tuple[str, str], list[float]] = {}
    for sample in samples:
        runs.setdefault((sample.series, sample.who), []).append(sample.value)

    def of(figure: Figure) -> Outcome:
        ours = runs.get((figure.read_from, figure.ours), [])
        theirs = runs.get((figure.read_from, figure.peer), [])
        return Outcome(task, figure, ours, theirs, _missing(figure, ours, theirs, absent))

    return [of(figure) for figure in figures]


def _missing(
    figure: Figure, ours: Sequence[float], theirs: Sequence[float], absent: Mapping[str, str]
) -> str:
    """Say who is missing in a figure, and why."""
    wanted = [(figure.ours, ours)] + ([(figure.peer, theirs)] if figure.peer else [])
    gone = [who for who, runs in wanted if not runs]
    return "; ".join(f"{who}: {absent.get(who) or absent.get('', 'not measured')}" for who in gone)
