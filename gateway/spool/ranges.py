"""Recipient indexes written short: `0-29,31`. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def to_ranges(indexes: Iterable[int]) -> str:
    """Write indexes in order, runs as `first-last`."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def from_ranges(text: str) -> tuple[int, ...]:
    """Read what `to_ranges` wrote; raises ValueError on anything else."""
    indexes: list[int] = []
    for run in text.split(",") if text else ():
        first, _, last = run.partition("-")
        indexes.extend(range(int(first), int(last or first) + 1))
    return tuple(indexes)
