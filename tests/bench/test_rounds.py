"""Rounds within a budget: who runs, in which order, and what becomes of a task that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.figures import OURS, POSTFIX, Absent, Figure, Sample
from tests.bench.rounds import run
from tests.bench.task import Load, Round, Task


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def task(name: str, round_: Round, rounds: int = 3, absent: str = "") -> Task:
    return Task(name, name, (Figure(name, name, "", "a test"),), round_, lambda: absent, rounds)


def taking(seconds: float, clock: Clock, order: list[str], name: str) -> Task:
    """Return a task of some seconds that notes that it ran."""

    def round_(load: Load) -> Iterator[Sample | Absent]:
        order.append(f"{name}{load.number}")
        clock.now += seconds
        yield Sample(name, OURS, seconds)

    return task(name, round_)


def test_all_run_once_before_any_runs_again() -> None:
    clock, order = Clock(), list[str]()
    tasks = [taking(1, clock, order, "a"), taking(2, clock, order, "b")]
    courses = run(tasks, Load(), 2, 100, lambda _: None, clock)
    assert order == ["a0", "b0", "a1", "b1"]
    assert [course.seconds for course in courses] == [[1, 1], [2, 2]]


def test_a_round_that_the_budget_has_no_time_for_is_not_begun() -> None:
    clock, order = Clock(), list[str]()
    tasks = [taking(10, clock, order, "a"), taking(30, clock, order, "b"), taking(10, clock, order, "c")]
    run(tasks, Load(), 3, 75, lambda _: None, clock)
    assert order == ["a0", "b0", "c0", "a1", "c1"]
    assert clock.now == 70


def test_what_never_ran_says_that_time_was_over() -> None:
    clock, order = Clock(), list[str]()
    courses = run(
        [taking(10, clock, order, "a"), taking(1, clock, order, "b")], Load(), 1, 5, lambda _: None, clock
    )
    assert courses[1].outcomes()[0].missing.startswith("sekisho: no time left")


def test_a_failed_task_is_named_and_the_others_go_on() -> None:
    clock, order, said = Clock(), list[str](), list[str]()

    def fails(load: Load) -> Iterator[Sample | Absent]:
        yield Sample("bad", OURS, 1.0)
        raise OSError("no port")

    courses = run([task("bad", fails), taking(1, clock, order, "a")], Load(), 2, 100, said.append, clock)
    assert order == ["a0", "a1"]
    (outcome,) = courses[0].outcomes()
    assert outcome.ours == [1.0]
    assert outcome.missing == "postfix: failed: OSError: no port"
    assert any("Traceback" in line for line in said)


def test_a_missing_peer_is_one_line_and_leaves_our_own_runs() -> None:
    said = list[str]()

    def round_(load: Load) -> Iterator[Sample | Absent]:
        yield Absent(POSTFIX, "not installed")
        yield Sample("a", OURS, 1.0)

    (course,) = run([task("a", round_)], Load(), 2, 100, said.append)
    assert course.outcomes()[0].ours == [1.0, 1.0]
    assert course.outcomes()[0].missing == "postfix: not installed"
    assert len([line for line in said if "not installed" in line]) == 1


def test_a_task_that_cannot_run_here_is_asked_once() -> None:
    said = list[str]()
    (course,) = run([task("a", _never, absent="no source")], Load(), 3, 100, said.append)
    assert said == ["[1] a: not measured: no source"]
    assert "no source" in course.outcomes()[0].missing


def _never(load: Load) -> Iterator[Sample | Absent]:
    raise AssertionError("a task that is absent was run")


@pytest.mark.parametrize(
    ("number", "order"), [(0, ["peer", "ours"]), (1, ["ours", "peer"]), (2, ["peer", "ours"])]
)
def test_who_comes_first_changes_with_the_round(number: int, order: list[str]) -> None:
    assert list(Load(number=number).turn(["peer", "ours"])) == order


@pytest.mark.parametrize(
    ("scale", "full", "count"), [(1, 2000, 2000), (0.5, 2000, 1000), (0.001, 2000, 20), (0.001, 4, 4)]
)
def test_a_scale_leaves_enough_to_count(scale: float, full: int, count: int) -> None:
    assert Load(scale).count(full) == count
