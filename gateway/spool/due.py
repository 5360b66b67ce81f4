"""Which recipients a claim takes: what is due, oldest first, of one message no more than its share.

A mail to 40,000 has 40,000 rows due at one moment. They are stepped over, not read: the index orders what is due at one
moment by message, so one seek leads behind all of them. What a claim costs follows what it takes, not what waits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from gateway.spool.records import RecipientRow
from gateway.spool.statements import MOVING_DUE
from gateway.store.tx import Tx

STEPS = 64
"""Reads for one claim. Each that finds nothing to take is twice as long as the one before, so a mail whose many recipients
are due at as many moments is passed, too."""

LONGEST = 4_096  # rows of one read
_LAST = (1 << 31) - 1  # no recipient's index is greater


class Place(NamedTuple):
    """A place in the order of what is due: what comes behind it is read next."""

    due_at: int = -1
    queue_id: str = ""
    idx: int = -1


def take(
    tx: Tx, now: int, limit: int, share: int, crowded: Collection[str]
) -> list[tuple[str, list[RecipientRow]]]:
    """Return up to `limit` rows by message, up to `share` of each and none of `crowded`, in the order of their turn."""
    taken: dict[str, list[RecipientRow]] = {}
    left, length, behind = limit, min(limit, share, LONGEST), Place()

    def full(queue_id: str) -> bool:
        return queue_id in crowded or len(taken.get(queue_id, ())) >= share

    for _ in range(STEPS):
        rows = _read(tx, now, behind, length)
        before = left
        for row in rows:
            if left and not full(row[0]):
                taken.setdefault(row[0], []).append(RecipientRow.of(row))
                left -= 1
        if not left or len(rows) < length:
            break
        length = min(left, share, LONGEST) if left < before else min(2 * length, LONGEST)
        last = RecipientRow.of(rows[-1])
        behind = _behind(last, full(last.queue_id))
    return list(taken.items())


def _read(tx: Tx, now: int, behind: Place, size: int) -> list[tuple[Any, ...]]:
    """Return rows as the database gives them, the queue id first: of a mail to thousands most are stepped over."""
    place = {"b_due_at": behind.due_at, "b_queue_id": behind.queue_id, "b_idx": behind.idx}
    return tx.rows(MOVING_DUE, {"b_now": now, "b_limit": size, **place})


def _behind(row: RecipientRow, full: bool) -> Place:
    """Return where to go on: behind the row, or behind all of its message that is due at the same moment."""
    return Place(row.due_at or 0, row.queue_id, _LAST if full else row.idx)
