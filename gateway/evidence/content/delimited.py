"""Comma- and tab-separated files, as Excel and other programs write them (RFC 4180): charset and sign are guessed."""

from __future__ import annotations

import csv
import io
from collections import Counter

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.octets import text_of

_SIGNS = ",\t;|"
_SAMPLE = 20
"""Lines at the beginning that tell which sign separates."""

_MAX_FIELD = 1 << 17
"""Characters of one cell that are read as one; where a quote never ends, the rest is read line by line."""


def read(file: File, into: Gathering) -> None:
    """Read a table; where its quotes make no sense, its lines are cut at the sign."""
    into.tell(encrypted=False, macros=False)
    text = text_of(file.octets, file.charset)
    sign = _sign(text)
    csv.field_size_limit(_MAX_FIELD)
    try:
        rows = list(csv.reader(io.StringIO(text[: into.left + 1], newline=""), delimiter=sign))
    except csv.Error:
        rows = [line.split(sign) for line in text.splitlines()]
    into.tabulate(rows)
    if len(text) > into.left + sum(map(len, rows)) and into.left >= 0:
        into.say(text[into.left + 1 :])


def _sign(text: str) -> str:
    lines = [line for line in text[: 1 << 14].splitlines() if line][:_SAMPLE]
    counts = Counter({sign: sum(line.count(sign) for line in lines) for sign in _SIGNS})
    return counts.most_common(1)[0][0]
