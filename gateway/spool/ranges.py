"""Recipient indexes written short: `0-29,31`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

INDEXES = 1 << 31
"""Above every recipient's index: what a form may name reaches no driver that cannot count so far."""


def to_ranges(indexes: Iterable[int]) -> str:
    """Write indexes in order, runs as `first-last`."""
    in_order = sorted({*indexes})
    if not in_order or len(in_order) == in_order[-1] - in_order[0] + 1:  # one run, as almost always
        return _run(in_order[0], in_order[-1]) if in_order else ""
    runs: list[list[int]] = []
    for index in in_order:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def from_ranges(text: str) -> tuple[int, ...]:
    """Read what `to_ranges` wrote; raises ValueError on anything else."""
    if text.isdecimal():  # one recipient, as in most mails
        return (int(text),)
    indexes: list[int] = []
    for run in text.split(",") if text else ():
        first, _, last = run.partition("-")
        indexes.extend(range(int(first), int(last or first) + 1))
    return tuple(indexes)
