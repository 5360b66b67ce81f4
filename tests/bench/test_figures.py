"""The arithmetic between runs and a verdict."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import (
    OURS,
    POSTFIX,
    Aim,
    Figure,
    Outcome,
    Sample,
    median,
    outcomes,
    percentile,
    ratio,
    reached,
)

TWICE = Aim("ratio", "least", 2.0)
RUNS = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("aim", "measured", "verdict"),
    [
        (TWICE, 2.0, True),
        (TWICE, 1.99, False),
        (TWICE, None, None),
        (Aim("ratio", "most", 1.0), 1.0, True),
        (Aim("ratio", "most", 1.0), 1.01, False),
        (Aim("value", "most", 50.0), 0.0, True),
        ("to compare with", 5.0, None),
    ],
)
def test_a_promise_is_kept_or_not_or_nothing_is_said(
    aim: Aim | str, measured: float | None, verdict: bool | None
) -> None:
    assert reached(aim, measured) is verdict


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [([10, 30, 20], [5, 10, 15], 2.0), ([1], [], None), ([], [1], None), ([1], [0], None)],
)
def test_a_ratio_is_ours_divided_by_theirs(
    ours: list[float], theirs: list[float], expected: float | None
) -> None:
    assert ratio(ours, theirs) == expected


@given(RUNS, RUNS)
def test_an_outlier_does_not_move_the_ratio_out_of_the_runs(ours: list[float], theirs: list[float]) -> None:
    found = ratio(ours, theirs)
    assert found is not None
    assert min(ours) / max(theirs) <= found * (1 + 1e-9)
    assert found <= max(ours) / min(theirs) * (1 + 1e-9)
    assert median(ours) == statistics.median(ours)


@given(st.floats(0.01, 100), st.floats(0.001, 1000), st.sampled_from(["least", "most"]))
def test_a_share_of_one_is_where_a_promise_begins_to_be_kept(
    promised: float, measured: float, bound: str
) -> None:
    aim = Aim("value", "least" if bound == "least" else "most", promised)
    assert aim.met(measured) == (aim.share(measured) >= 1)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1), (0.001, 1), (0.991, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], share) == expected


@given(RUNS, st.floats(0, 1))
def test_at_least_the_share_does_not_exceed_a_percentile(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert len([value for value in values if value <= found]) >= share * len(values)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.5), ([1.0], -0.1)])
def test_no_percentile_of_nothing(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_runs_are_sorted_under_the_figures_that_read_them() -> None:
    figures = (Figure("hold", "hold", "mails/s", TWICE), Figure("again", "again", "", TWICE, series="hold"))
    samples = [Sample("hold", OURS, 8), Sample("hold", POSTFIX, 4), Sample("hold", OURS, 10)]
    for found in outcomes("task", figures, samples, {}):
        assert (found.ours, found.theirs, found.ratio, found.reached) == ([8, 10], [4], 2.25, True)
        assert found.missing == ""


def test_who_is_missing_is_said_and_nothing_is_promised_to_be_kept() -> None:
    figure = Figure("hold", "hold", "mails/s", TWICE)
    (found,) = outcomes("task", (figure,), [Sample("hold", OURS, 8)], {POSTFIX: "not installed"})
    assert (found.missing, found.ratio, found.reached) == ("postfix: not installed", None, None)
    (found,) = outcomes("task", (figure,), [], {"": "no time left"})
    assert found.missing == "sekisho: no time left; postfix: no time left"


def test_without_a_peer_the_value_counts() -> None:
    figure = Figure("banner", "banner", "ms", Aim("value", "most", 50), peer="")
    assert Outcome("task", figure, [10, 60, 20]).reached is True
    assert Outcome("task", figure, [10, 60, 70]).reached is False
