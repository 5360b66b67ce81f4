"""One picture of every promise, as SVG written by hand. Pure.

A bar for each promise on a logarithmic scale from a tenth to ten times what was promised, around a line at exactly that: to
the right of the line is kept, to the left is not, whatever the unit and whichever way is better. Colours follow the
reader's light or dark scheme; yes and no differ in their place and words, not in colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from tests.bench.figures import Aim, Outcome
from tests.bench.markdown import aim, number
from tests.bench.report import Report

LABEL, TRACK, SIDE, ROW, TOP, BOTTOM = 300, 320, 280, 26, 58, 30
WIDTH = LABEL + TRACK + SIDE
DECADES = 1.0  # to either side
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1b1f24 }
.faint { fill: #57606a } .title { font-size: 15px; font-weight: 600 }
.yes { fill: #1a7f5a } .no { fill: #c2410c } .line { stroke: #1b1f24 } .tick { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .faint { fill: #9da7b3 } .line { stroke: #e6edf3 } .tick { stroke: #3d444d }
  .yes { fill: #3fb68b } .no { fill: #f0883e }
}
"""


def svg(report: Report) -> str:
    """Return the picture."""
    promised = [outcome for outcome in report.outcomes if isinstance(outcome.figure.aim, Aim)]
    height = TOP + ROW * len(promised) + BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{_summary(promised)}">\n<style>{STYLE}</style>\n'
    )
    title = _text(12, 22, "What was promised, and what was measured", "title")
    about = _text(12, 42, f"{report.machine.get('cores', '')}; {report.machine.get('date', '')}", "faint")
    rows = "".join(_row(outcome, TOP + ROW * place) for place, outcome in enumerate(promised))
    return f"{head}{title}{about}{_scale(height)}{rows}</svg>\n"


def across(share: float) -> float:
    """Return where a share of the promise stands on the track, held within its ends."""
    decades = math.log10(share) if share > 0 else -DECADES
    return LABEL + TRACK * (max(-DECADES, min(DECADES, decades)) + DECADES) / (2 * DECADES)


def _scale(height: int) -> str:
    parts = []
    for share, words in (
        (0.1, "1/10"),
        (0.25, "1/4"),
        (0.5, "1/2"),
        (1, "promised"),
        (2, "2 x"),
        (4, "4 x"),
        (10, "10 x"),
    ):
        x, kind = across(share), "line" if share == 1 else "tick"
        parts.append(
            f'<line x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{height - BOTTOM + 4}" class="{kind}"/>\n'
        )
        parts.append(_text(x, height - 8, words, "faint", "middle"))
    return "".join(parts)


def _row(outcome: Outcome, y: int) -> str:
    middle, bar = y + ROW - 9, ""
    measured, promised = outcome.measured, outcome.figure.aim
    if measured is not None and isinstance(promised, Aim):
        start, end = sorted((across(1), across(promised.share(measured))))
        kind = "yes" if outcome.reached else "no"
        size = f'width="{max(end - start, 1):.1f}" height="{ROW - 10}"'
        bar = f'<rect x="{start:.1f}" y="{y + 4}" {size} rx="2" class="{kind}"/>\n'
    label = _text(LABEL - 10, middle, outcome.figure.title, "", "end")
    return label + bar + _text(LABEL + TRACK + 10, middle, verdict(outcome), "faint")


def verdict(outcome: Outcome) -> str:
    """Return what is said beside a bar."""
    if outcome.measured is None:
        return f"not measured ({aim(outcome.figure.aim)})"
    unit = (
        "x"
        if isinstance(outcome.figure.aim, Aim) and outcome.figure.aim.of == "ratio"
        else outcome.figure.unit
    )
    return f"{'kept' if outcome.reached else 'missed'}: {number(outcome.measured)} {unit} ({aim(outcome.figure.aim)})"


def _summary(promised: Sequence[Outcome]) -> str:
    return escape("; ".join(f"{outcome.figure.title} {verdict(outcome)}" for outcome in promised), quote=True)


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>\n'
