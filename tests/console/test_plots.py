"""Bars are as long as what they count, the axis has round numbers, and the table says the same."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.plots import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MOST_LABELS,
    RIGHT,
    TOP,
    WIDTH,
    Series,
    axis,
    bars,
    spread,
)

COUNTS = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=31)


def drawn(rows: list[tuple[int, int]]) -> tuple[list[str], list[Series]]:
    names = [f"n{n}" for n in range(len(rows))]
    return names, [
        Series("a", "one", tuple(row[0] for row in rows)),
        Series("b", "too", tuple(row[1] for row in rows)),
    ]


@given(COUNTS)
def test_nothing_leaves_the_box(rows: list[tuple[int, int]]) -> None:
    names, series = drawn(rows)
    plot = bars("p", "t", "s", "h", names, series, names)
    for bar in plot.bars:
        assert bar.x >= LEFT
        assert bar.x + bar.width <= WIDTH - RIGHT + 0.1
        assert bar.y >= TOP - 0.2
        assert bar.y + bar.height <= HEIGHT - BOTTOM + 0.2
    assert all(TOP <= step.at <= HEIGHT - BOTTOM for step in plot.steps)
    assert [values for _, values in plot.rows] == rows


@given(COUNTS)
def test_bars_of_one_colour_are_as_long_as_their_numbers(rows: list[tuple[int, int]]) -> None:
    names, series = drawn(rows)
    plot = bars("p", "t", "s", "h", names, series, names)
    unit = (HEIGHT - BOTTOM - TOP) / axis(max(a + b for a, b in rows))[-1]
    heights = [bar.height for bar in plot.bars if bar.kind == "one"]
    values = [a for a, _ in rows if a]
    assert heights == pytest.approx([value * unit for value in values], abs=0.06)


@given(st.integers(0, 10**9))
def test_the_axis_is_round_and_holds_everything(most: int) -> None:
    steps = axis(most)
    assert steps[0] == 0
    assert steps[-1] >= most
    assert 2 <= len(steps) <= 6
    assert len({b - a for a, b in itertools.pairwise(steps)}) == 1
    assert str(steps[1]).rstrip("0") in ("1", "2", "5")


@given(st.integers(0, 400))
def test_labels_have_room(count: int) -> None:
    places = spread(count)
    assert len(places) <= MOST_LABELS
    assert not count or places[-1] == count - 1
    assert len({b - a for a, b in itertools.pairwise(places)}) <= 1


def test_what_is_nothing_has_no_bar() -> None:
    plot = bars("p", "t", "s", "h", ["x"], [Series("a", "one", (0,))], ["x"])
    assert plot.bars == ()
    assert [mark.text for mark in plot.steps] == ["0", "1"]
