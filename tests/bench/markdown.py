"""The table for docs/performance.md, written from a report. Pure.

A line for each figure: the promise, our median with the spread of the runs, the peer's, the ratio, and whether the promise is
kept. What was not measured says why in its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench.figures import Aim, Outcome, median
from tests.bench.report import Report

HEAD = (
    "| what | name | Sekisho | peer | ratio | promised | kept |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


def table(report: Report) -> str:
    """Return the machine, the table and what is to be said of it."""
    return "\n".join([*_about(report), "", *HEAD, *map(row, report.outcomes), "", *_notes(report)]) + "\n"


def plain(report: Report) -> str:
    """Return the same in columns for a terminal."""
    lines = [[cell.strip("`*") for cell in _cells(outcome)] for outcome in report.outcomes]
    rows = [["what", "name", "Sekisho", "peer", "ratio", "promised", "kept"], *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([*text, "", *_notes(report)]) + "\n"


def row(outcome: Outcome) -> str:
    """Return a figure's line."""
    return "| " + " | ".join(_cells(outcome)) + " |"


def _cells(outcome: Outcome) -> list[str]:
    figure = outcome.figure
    ours = runs(outcome.ours, figure.unit)
    if figure.ours not in ("sekisho", "machine"):
        ours += f" ({figure.ours})"
    theirs = f"{runs(outcome.theirs, figure.unit)} ({figure.peer})" if figure.peer else ""
    return [
        figure.title,
        f"`{figure.name}`",
        ours,
        theirs,
        number(outcome.ratio),
        aim(figure.aim),
        kept(outcome),
    ]


def runs(values: Sequence[float], unit: str) -> str:
    """Return a median with the spread of its runs."""
    if not values:
        return "-"
    spread = f" [{number(min(values))}-{number(max(values))}]" if len(values) > 1 else ""
    return f"{number(median(values))} {unit}{spread}"


def number(value: float | None) -> str:
    """Return a number with three digits that count."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def aim(promised: Aim | str) -> str:
    """Return a promise in words."""
    if isinstance(promised, str):
        return f"none: {promised}"
    what = "ratio " if promised.of == "ratio" else ""
    return f"{what}at {promised.bound} {promised.number:,g}"


def kept(outcome: Outcome) -> str:
    """Return the verdict, or why there is none."""
    if outcome.reached is None:
        return outcome.missing or "-"
    return "yes" if outcome.reached else "**no**"


def _about(report: Report) -> Iterator[str]:
    words = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    yield f"Measured on: {words}. Workers: {report.load['workers']:g}."


def _notes(report: Report) -> Iterator[str]:
    promised = [outcome for outcome in report.outcomes if isinstance(outcome.figure.aim, Aim)]
    count = len([outcome for outcome in promised if outcome.reached])
    open_ones = len([outcome for outcome in promised if outcome.reached is None])
    yield f"{count} of {len(promised)} promises kept, {open_ones} not measured."
    for warning in report.warnings:
        yield f"Note: {warning}."
