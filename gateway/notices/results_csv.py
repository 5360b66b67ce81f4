"""Every recipient's result as a table that goes with the report of a large mailing. Pure.

Spreadsheets run what begins like a formula, and strangers choose addresses and replies: such cells begin with an apostrophe.
UTF-8 with a byte order mark, because Excel takes a file without one for Shift_JIS.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from gateway.languages import Words
from gateway.notices.letter import Attached
from gateway.notices.report import fate, outcome_names
from gateway.spool.values import Stored

MAX_ROWS = 50_000  # of one table: some 5 MB, which a mailbox takes; `sekisho log export` has them all
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones count in some, too


def results(message: Stored, words: Words) -> Attached:
    """Return the table of what became of the recipients, in the order of the mail."""
    out = StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for line in _lines(message, words):
        table.writerow([guarded(cell) for cell in line])
    octets = b"\xef\xbb\xbf" + out.getvalue().encode()
    return Attached(f"results-{message.queue_id}.csv", "text/csv; charset=utf-8", octets)


def _lines(message: Stored, words: Words) -> Iterator[tuple[str, ...]]:
    _ = words.gettext
    yield (
        _("No."),
        _("Address"),
        _("Inside or outside"),
        _("Result"),
        _("Time"),
        _("Reply of the receiving server"),
    )
    names = outcome_names(words)
    for number, row in enumerate(message.as_handed_in.recipients[:MAX_ROWS], 1):
        told = fate(row, names, words)
        at = row.changed_at.astimezone(words.zone).isoformat(" ", "seconds") if row.changed_at else ""
        place = _("Outside") if told.external else _("Inside")
        yield str(number), told.address, place, told.state, at, told.reply


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
