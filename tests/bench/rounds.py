"""Run tasks in rounds within a budget of time: all tasks once, then all again, as often as there is time for.

The runs of a task are so spread over the whole run, and when time is short every figure has fewer runs instead of some having
none. A task that fails is named with its error and the others go on: a bench of an hour must not die of one peer. The first
round always starts what it can before the budget is used up; a later one starts a task only where its last length fits.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from tests.bench.figures import Absent, Outcome, Sample, outcomes
from tests.bench.task import Load, Task

ERROR_LENGTH = 80
Say = Callable[[str], None]


@dataclass
class Course:
    """What a task has brought so far."""

    task: Task
    samples: list[Sample] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    failed: str = ""
    seconds: list[float] = field(default_factory=list)

    def outcomes(self) -> list[Outcome]:
        """Return the figures with their runs."""
        why = {"": self.failed, **self.absent} if self.failed else self.absent
        return outcomes(self.task.name, self.task.figures, self.samples, why)


def to_stderr(line: str) -> None:
    """Tell how it goes, apart from the results."""
    print(line, file=sys.stderr, flush=True)


def run(
    tasks: Sequence[Task],
    load: Load,
    rounds: int,
    budget_s: float,
    say: Say = to_stderr,
    clock: Callable[[], float] = time.monotonic,
) -> list[Course]:
    """Run up to `rounds` rounds of each task, starting none that the budget has no time for."""
    courses, begin = [Course(task) for task in tasks], clock()
    for number in range(rounds):
        for course in courses:
            left = begin + budget_s - clock()
            if wanted(course, number) and fits(course, left):
                started = clock()
                once(course, replace(load, number=number), say)
                course.seconds.append(clock() - started)
            elif wanted(course, number):
                say(f"[{number + 1}] {course.task.name}: no time left for another round")
                course.absent.setdefault("", "no time left in the budget")
    return courses


def wanted(course: Course, number: int) -> bool:
    """Tell whether a task takes part in a round."""
    return number < course.task.rounds and not course.failed


def fits(course: Course, left_s: float) -> bool:
    """Tell whether a task may start: by its longest round so far, and in the first while there is any time."""
    return left_s > max(course.seconds, default=0.0)


def once(course: Course, load: Load, say: Say) -> None:
    """Run one round and note what it brings."""
    label = f"[{load.number + 1}] {course.task.name}"
    if why := course.task.absent():
        course.absent[""] = course.failed = why
        say(f"{label}: not measured: {why}")
        return
    try:
        _note(course, course.task.run(load), label, say)
    except Exception as error:
        course.failed = f"failed: {_in_a_line(error)}"
        say(f"{label}: {course.failed}\n{traceback.format_exc()}")


def _note(course: Course, items: Iterable[Sample | Absent], label: str, say: Say) -> None:
    for item in items:
        if isinstance(item, Sample):
            course.samples.append(item)
            say(f"{label}: {item.series:<18} {item.who:<26} {item.value:12.1f}")
        elif item.who not in course.absent:
            course.absent[item.who] = item.why
            say(f"{label}: {item.who or 'all'}: not measured: {item.why}")


def _in_a_line(error: Exception) -> str:
    """Name an error for the results; all of it stands in the progress."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:ERROR_LENGTH]
