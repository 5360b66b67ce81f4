"""The machine-readable result: everything a run has measured, to be written, read again, and compared between machines.

The file keeps every single run, not only medians. Whatever prints (markdown.py, plot.py) prints from this, so that a table
or a plot can be made later from the file alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.figures import Aim, Figure, Outcome, median

FORMAT = 1  # of the file; a reader refuses another


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the bench."""

    machine: dict[str, str]
    load: dict[str, float]
    warnings: Sequence[str]
    seconds: Mapping[str, Sequence[float]]
    outcomes: Sequence[Outcome]


def write(report: Report) -> str:
    """Return the file's text."""
    head = {"format": FORMAT, "machine": report.machine, "load": report.load}
    rest = {"warnings": list(report.warnings), "seconds": report.seconds}
    figures = [_entry(outcome) for outcome in report.outcomes]
    return json.dumps({**head, **rest, "figures": figures}, indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> Report:
    """Return the report of a file's text; raises ValueError for another format."""
    document = json.loads(text)
    if document.get("format") != FORMAT:
        raise ValueError(f"format {document.get('format')!r}, expected {FORMAT}")
    found = [_outcome(entry) for entry in document["figures"]]
    return Report(document["machine"], document["load"], document["warnings"], document["seconds"], found)


def _entry(outcome: Outcome) -> dict[str, Any]:
    figure = outcome.figure
    aim = {"none": figure.aim} if isinstance(figure.aim, str) else asdict(figure.aim)
    named = {"task": outcome.task, **{key: value for key, value in asdict(figure).items() if key != "aim"}}
    runs = {"ours_runs": list(outcome.ours), "peer_runs": list(outcome.theirs)}
    medians = {"ours_median": median(outcome.ours), "peer_median": median(outcome.theirs)}
    verdict = {"ratio": outcome.ratio, "reached": outcome.reached, "missing": outcome.missing}
    return {**named, "aim": aim, **runs, **medians, **verdict}


def _outcome(entry: dict[str, Any]) -> Outcome:
    aim = entry["aim"]
    named = {key: entry[key] for key in ("name", "title", "unit", "better", "ours", "peer", "series")}
    figure = Figure(aim=aim["none"] if "none" in aim else Aim(**aim), **named)
    return Outcome(entry["task"], figure, entry["ours_runs"], entry["peer_runs"], entry["missing"])
