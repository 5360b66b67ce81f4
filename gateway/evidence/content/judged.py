"""From what was gathered to what is told: texts folded once, and counted by the detectors. Pure."""

from __future__ import annotations

from gateway.detect.findings import findings
from gateway.detect.plain import folded
from gateway.evidence.content.gathering import Gathering
from gateway.message.evidence import Findings

CELL_END = "\v"
"""What stands between cells in a text: a blank for every pattern, but no digits, lines or tables go on over it."""

Rows = list[list[str]]


def text_and_tables(into: Gathering) -> tuple[str, list[Rows]]:
    """Return the folded text of all that was gathered, and its tables."""
    prose = folded("\n".join(into.prose))
    sheets = [folded(sheet) for sheet in into.sheets]
    tables = [[line.split("\t") for line in sheet.split("\n")] for sheet in sheets]
    return "\n".join([prose, *[sheet.replace("\t", CELL_END) for sheet in sheets]]), tables


def judged(text: str, tables: list[Rows]) -> Findings:
    """Count what a folded text and its tables hold."""
    return findings(text, tables) if text.strip() else Findings()
