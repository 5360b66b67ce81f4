"""Plots as shapes with places: bars that stand on one another, an axis with round numbers, labels. Pure; templates draw them.

Everything is in the units of the view box, which has the width of a phone: there letters have their own size, on wider
screens they grow with the plot. Colours and strokes come from the sheet, by class. Each plot stands beside a table that says
the same (templates/plots.html).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.values import dataclass

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 34, 14, 10, 24  # margins: numbers of the axis, labels below
MOST_LABELS = 6  # below an axis; more would run into one another
STEPS = (1, 2, 5)  # of the axis, times a power of ten


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn in one colour: `kind` is a class of the sheet (one, too), a value for each label."""

    name: str
    kind: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; `says` is its tip."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A number of the axis, or a label below it, and where."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot and its table: `rows` are labels with a value of each series."""

    name: str
    title: str
    summary: str
    head: str
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    steps: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def foot(self) -> int:
        return HEIGHT - BOTTOM

    @property
    def left(self) -> int:
        return LEFT

    @property
    def right(self) -> int:
        return WIDTH - RIGHT


def bars(
    name: str,
    title: str,
    summary: str,
    head: str,
    labels: Sequence[str],
    series: Sequence[Series],
    names: Sequence[str],
) -> Plot:
    """Return bars, one above each label, with the series standing on one another.

    `name` makes ids on the page, `summary` is what somebody hears who sees no plot. `names` are the labels in full, for the
    table, below `head`.
    """
    sums = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    steps = axis(max(sums, default=0))
    unit = (HEIGHT - BOTTOM - TOP) / steps[-1]
    pitch = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    rows = tuple((full, tuple(each.values[n] for each in series)) for n, full in enumerate(names))
    return Plot(
        name,
        title,
        summary,
        head,
        tuple(series),
        tuple(bar for n in range(len(labels)) for bar in _pile(n, names[n], series, pitch, unit)),
        tuple(Mark(_round(HEIGHT - BOTTOM - step * unit), f"{step:,}") for step in steps),
        tuple(Mark(_round(LEFT + (n + 0.5) * pitch), labels[n]) for n in spread(len(labels))),
        rows,
    )


def _pile(n: int, label: str, series: Sequence[Series], pitch: float, unit: float) -> list[Bar]:
    gap = min(4.0, pitch * 0.2)
    x, width = _round(LEFT + n * pitch + gap / 2), _round(pitch - gap)
    top = float(HEIGHT - BOTTOM)
    found = []
    for each in series:
        value = each.values[n]
        if value:
            top -= value * unit
            says = f"{label}: {each.name} {value:,}"
            found.append(Bar(x, _round(top), width, _round(value * unit), each.kind, says))
    return found


def axis(most: int) -> list[int]:
    """Return three to six round numbers from 0 to at least `most`; whole ones, because things are counted."""
    power = 1
    while True:
        for step in STEPS:
            size = step * power
            if most <= 5 * size:
                return [size * n for n in range(max(1, -(-most // size)) + 1)]
        power *= 10


def spread(count: int) -> list[int]:
    """Return which of so many places have a label: the last and others at equal distances, MOST_LABELS at most."""
    step = max(1, -(-count // MOST_LABELS))
    return sorted(range(count - 1, -1, -step))


def _round(value: float) -> float:
    return round(value, 1)
