"""`make bench`, `python -m tests.bench [TASK ...]`: every promise about speed, measured against its peer on this machine.

Everything is started here on loopback and ended by its process id. Progress goes to standard error, the results to standard
output and to the files asked for. Ends with 1 where a task failed; a promise that is not kept is a result, not a failure.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import markdown, plot, report
from tests.bench.machine import machine, warnings
from tests.bench.registry import TASKS, named
from tests.bench.rounds import Course, run, to_stderr
from tests.bench.task import WORKERS, Load, Task

PLACE = Path(os.environ.get("BENCH_DIR", "/var/tmp"))  # on a disk everywhere; /tmp may be memory
MOST_ROUNDS, MOST_SCALE, MOST_MINUTES = 20, 20.0, 240.0


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; every number has a bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="tasks to run (see --list); all without")
    parser.add_argument("--list", action="store_true", help="list the tasks and their figures")
    parser.add_argument("--rounds", type=_up_to(MOST_ROUNDS), help="rounds of each task (its own: 1 to 3)")
    parser.add_argument("--scale", type=_up_to(MOST_SCALE), default=1.0, help="times the usual counts (1)")
    parser.add_argument("--minutes", type=_up_to(MOST_MINUTES), default=10.0, help="start nothing later (10)")
    parser.add_argument("--workers", type=_up_to(64), default=WORKERS, help=f"of the product ({WORKERS})")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every run, machine-readable")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="write a picture of the promises (SVG)")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="PATH", help="measure nothing, read a --json"
    )
    options = parser.parse_args(words)
    if unknown := [name for name in options.tasks if name not in {task.name for task in TASKS}]:
        parser.error(f"no task {', '.join(unknown)}; --list names them")
    return options


def _up_to(bound: float) -> Callable[[str], float]:
    def number(word: str) -> float:
        if not 0 < (value := float(word)) <= bound:
            raise argparse.ArgumentTypeError(f"{word} is not above 0 and up to {bound:g}")
        return value

    return number


def listing(tasks: Sequence[Task]) -> str:
    """Return the tasks with their figures and promises."""
    lines = []
    for task in tasks:
        lines.append(f"{task.name:<10} {task.about}")
        lines += [f"  {each.name:<18} {each.title:<44} {markdown.aim(each.aim)}" for each in task.figures]
    return "\n".join(lines)


def measure(options: argparse.Namespace) -> tuple[report.Report, Sequence[Course]]:
    """Run the tasks asked for."""
    tempfile.tempdir = str(PLACE)  # for everything that is started from here, queues and databases
    about = machine(PLACE)
    warned = warnings(about)
    for warning in warned:
        to_stderr(f"note: {warning}")
    load = Load(options.scale, int(options.workers))
    tasks = named(options.tasks)
    if options.rounds is not None:
        tasks = [replace(task, rounds=int(options.rounds)) for task in tasks]
    courses = run(tasks, load, MOST_ROUNDS, options.minutes * 60)
    done = {
        "rounds": max(len(course.seconds) for course in courses),
        "scale": options.scale,
        "workers": options.workers,
    }
    found = [outcome for course in courses for outcome in course.outcomes()]
    seconds = {course.task.name: [round(each, 1) for each in course.seconds] for course in courses}
    return report.Report(about, done, warned, seconds, found), courses


def put(path: Path | None, text: str) -> None:
    """Write a file where one was asked for."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(words: Sequence[str]) -> int:
    """Measure, or read what was measured, and write it."""
    options = arguments(words)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # what was started here is ended
    if options.list:
        print(listing(named(options.tasks)))
        return 0
    courses: Sequence[Course] = ()
    if options.source is not None:
        found = report.read(options.source.read_text(encoding="utf-8"))
    else:
        found, courses = measure(options)
    put(options.json, report.write(found))
    put(options.plot, plot.svg(found))
    print(markdown.table(found) if options.markdown else markdown.plain(found))
    return int(any(course.failed and not course.task.absent() for course in courses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
