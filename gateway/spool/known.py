"""Rows of long messages that claims have read, so that the next claim of the same message need not.

A mail to 40,000 is claimed some sixty recipients at a time, and its envelope is a megabyte. What is kept of a message never
changes once it is accepted; what changes is in the recipients' rows, which every claim reads. Used by the committer's jobs
only: one thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from gateway.spool.records import MessageRow

LONG = 16 * 1024
"""Characters of an envelope worth keeping: some 500 recipients, more than one claim takes."""

ROOM = 4 * 1024 * 1024
"""Characters of all that is kept: three mails to 40,000. Their parsed forms have the same bound (mail_json.py)."""


class KnownMessages:
    """What the latest claims read, the longest unused dropped first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._rows: OrderedDict[str, MessageRow] = OrderedDict()
        self.size = 0

    def among(self, queue_ids: Iterable[str]) -> dict[str, MessageRow]:
        """Return those of these messages that are known."""
        found = {queue_id: self._rows[queue_id] for queue_id in queue_ids if queue_id in self._rows}
        for queue_id in found:
            self._rows.move_to_end(queue_id)
        return found

    def keep(self, row: MessageRow) -> None:
        """Remember a message that could be read, where that is worth it."""
        if row.queue_id in self._rows or not LONG <= _size(row) <= self._room:
            return
        self._rows[row.queue_id] = row
        self.size += _size(row)
        while self.size > self._room:
            self.size -= _size(self._rows.popitem(last=False)[1])


def _size(row: MessageRow) -> int:
    return len(row.envelope) + len(row.decision)
