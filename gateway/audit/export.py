"""The event log for other programs: CSV that Excel opens (BOM, no formulas, no dates made of ranges), and JSON lines. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator

from gateway.audit.entries import Entry
from gateway.log import escaped

BOM = "\ufeff"  # without it Excel reads UTF-8 as the local code page
COLUMNS = (
    "seq",
    "at",
    "kind",
    "reason",
    "queue_id",
    "actor",
    "recipients",
    "sender",
    "subject",
    "detail",
    "hash",
    "node",
)

_FORMULA = tuple("=+-@＝＋－＠\t\r\n")  # what makes a cell a formula (OWASP: CSV injection)
_LOOKS_LIKE_A_DATE = re.compile(r"\d+[-,/]\d")


def to_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180), the first with the BOM."""
    yield BOM + _line(COLUMNS)
    for entry in entries:
        yield _line(_cells(entry))


def to_json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield one JSON object a line, with everything that the hash covers."""
    for entry in entries:
        yield escaped(json.dumps(as_json(entry), ensure_ascii=False)) + "\n"


def as_json(entry: Entry) -> dict[str, object]:
    """Return an entry as plain JSON values; times in RFC 3339, hashes in hexadecimal."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(timespec="microseconds"),
        "queue_id": entry.queue_id,
        "kind": entry.kind,
        "reason": entry.reason,
        "actor": {"kind": entry.actor_kind, "name": entry.actor_name},
        "recipients": entry.recipients,
        "detail": entry.detail,
        "prev": entry.prev.hex(),
        "hash": entry.hash.hex(),
        "node": entry.node,
    }


def harmless(cell: str) -> str:
    """Return a cell that a spreadsheet shows as it stands instead of computing it."""
    if cell.lstrip(" ").startswith(_FORMULA) or _LOOKS_LIKE_A_DATE.match(cell):
        return "'" + cell
    return cell


def _cells(entry: Entry) -> tuple[str, ...]:
    actor = f"{entry.actor_kind} {entry.actor_name}".rstrip()
    return (
        str(entry.seq),
        entry.at.isoformat(timespec="seconds"),
        entry.kind,
        entry.reason,
        entry.queue_id or "",
        harmless(actor),
        harmless(entry.recipients),
        harmless(str(entry.detail.get("sender", ""))),
        harmless(str(entry.detail.get("subject", ""))),
        harmless(json.dumps(entry.detail, ensure_ascii=False)),
        entry.hash.hex(),
        harmless(entry.node),
    )


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([escaped(cell) for cell in cells])
    return out.getvalue()
