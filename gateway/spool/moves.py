"""The one place that changes a recipient's state: a compare-and-set that `lifecycle.TRANSITIONS` decides.

The WHERE names the state and the lease that were read, and lists `lifecycle.sources(target)`; a row that moved meanwhile
fails the whole job. Recipients that follow each other and were read alike are one statement: what is counted is still each
of them. Tallies, the message's own counters and the shares of those who do not get it follow in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.spool.lifecycle import FINAL, State, sources
from gateway.spool.records import RecipientRow
from gateway.spool.shares_rows import NEVER_GETS_IT, end_with_recipients
from gateway.spool.statements import DUE_AS_READ, MOVE_DUE
from gateway.store.errors import StoreConflict
from gateway.store.schema import recipients
from gateway.store.tx import Params, Prepared, Tx
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a recipient's row says in its new state; None keeps reply and queued_at as they are.

    `perhaps` marks it as one that may have left already; nothing takes that mark away.
    """

    at: int
    due_at: int | None = None
    queued_at: int | None = None
    reply: str | None = None
    attempts: int = 0
    lease: str | None = None
    owner: str | None = None
    lease_until: int | None = None
    perhaps: bool = False


_PLACE = itemgetter(0, 1)  # queue_id, idx
_AS_READ = itemgetter(0, 2, 3, 8)  # queue_id, state, due_at, lease


def move(tx: Tx, rows: Sequence[RecipientRow], target: State, arrival: Arrival) -> None:
    """Bring recipients, as read in this transaction, to `target`; raises StoreUnavailable if one moved meanwhile."""
    if not rows:
        return
    runs = _runs(rows)
    touched = tx.many(_MOVES[target], [_parameters(first, last, arrival) for first, last in runs])
    if touched != len(rows):
        raise StoreConflict(f"{len(rows) - touched} of {len(rows)} recipients were moved by another process")
    for first, last in runs:
        _count(tx, first, last - first.idx + 1, target, arrival.at)
    tx.tally(target, len(rows))
    if target in NEVER_GETS_IT:
        for queue_id in dict.fromkeys(row.queue_id for row in rows):
            end_with_recipients(tx, queue_id, arrival.at)


def stay(tx: Tx, until: Iterable[tuple[RecipientRow, int]], at: int) -> None:
    """Let held recipients, as read in this transaction, stay until another time; raises StoreUnavailable if one left, or was
    frozen, meanwhile."""
    moved = list(until)
    due = [
        {"b_queue_id": row.queue_id, "b_idx": row.idx, "b_was_due": row.due_at, "b_due_at": end}
        for row, end in moved
    ]
    if tx.many(MOVE_DUE, due) != len(moved):
        raise StoreConflict("a recipient was let go, or put off, by another process")
    for queue_id in dict.fromkeys(row.queue_id for row, _ in moved):
        tx.unlist(queue_id, at)


def _count(tx: Tx, row: RecipientRow, count: int, target: State, at: int) -> None:
    """Count who left a state, and in the message what is closed and what is held no more."""
    tx.tally(row.state, -count)
    held = count * ((row.state is State.HELD) - (target is State.HELD))
    tx.count_down(row.queue_id, count if target in FINAL else 0, held, at)


def _runs(rows: Sequence[RecipientRow]) -> list[tuple[RecipientRow, int]]:
    """Return the first row and the last index of each run of neighbours that the WHERE tells nothing else about."""
    runs: list[tuple[RecipientRow, int]] = []
    for row in sorted(rows, key=_PLACE):
        if runs:
            first, last = runs[-1]
            if row.idx == last + 1 and _AS_READ(row) == _AS_READ(first):
                runs[-1] = first, row.idx
                continue
        runs.append((row, row.idx))
    return runs


def _parameters(row: RecipientRow, last: int, arrival: Arrival) -> Params:
    return {
        "b_queue_id": row.queue_id,
        "b_idx": row.idx,
        "b_last": last,
        "b_was": str(row.state),
        "b_was_lease": row.lease,
        "b_was_due": row.due_at,
        "b_at": arrival.at,
        "b_due_at": arrival.due_at,
        "b_queued_at": arrival.queued_at,
        "b_reply": arrival.reply,
        "b_attempts": arrival.attempts,
        "b_lease": arrival.lease,
        "b_owner": arrival.owner,
        "b_lease_until": arrival.lease_until,
        "b_perhaps": 1 if arrival.perhaps else None,
    }


def _compare_and_set(target: State) -> Prepared:
    c = recipients.c
    # `|| ''` keeps a database from looking for neighbours among all rows of a state, of which it has an index.
    state = c.state + sa.literal_column("''")
    allowed: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{state}'") for state in sorted(sources(target))
    ]
    # Who freezes a mail changes nothing but when its recipients are due; nobody may let go what was read before that.
    unfrozen = [DUE_AS_READ] if target is State.QUEUED else []
    return Prepared(
        recipients.update()
        .where(
            c.queue_id == bindparam("b_queue_id"),
            c.idx.between(bindparam("b_idx"), bindparam("b_last")),
            state == bindparam("b_was"),
            state.in_(allowed),
            c.lease.is_not_distinct_from(bindparam("b_was_lease")),
            *unfrozen,
        )
        .values(
            state=sa.literal_column(f"'{target}'"),
            changed_at=bindparam("b_at"),
            due_at=bindparam("b_due_at"),
            queued_at=sa.func.coalesce(bindparam("b_queued_at"), c.queued_at),
            reply=sa.func.coalesce(bindparam("b_reply"), c.reply),
            attempts=c.attempts + bindparam("b_attempts"),
            lease=bindparam("b_lease"),
            owner=bindparam("b_owner"),
            lease_until=bindparam("b_lease_until"),
            perhaps=sa.func.coalesce(bindparam("b_perhaps"), c.perhaps),
        )
    )


_MOVES = {target: _compare_and_set(target) for target in State if sources(target)}
