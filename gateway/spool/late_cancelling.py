"""What was under way when its mail was taken back, and came back: cancelled in the transaction that says so, not tried again.

Nobody can stop an attempt in the middle. One that failed would else be followed by another, long after somebody was told that
whoever had not got the mail never gets it. Whom it concerns stands in the event log; only deferrals look there.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, select

from gateway.spool.holds import Wish, cancel
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import from_ranges
from gateway.spool.values import Actor
from gateway.store.schema import events
from gateway.store.tx import Prepared, Tx

_E = events.c
_TAKEN_BACK = Prepared(
    select(_E.actor_kind, _E.actor_name, _E.reason, _E.recipients).where(
        _E.queue_id == bindparam("b_queue_id"), _E.kind == bindparam("b_kind", Kind.TAKEN_BACK.value)
    )
)


def cancel_taken_back(tx: Tx, queue_id: str, deferred: Collection[int], now: int) -> None:
    """Cancel those of these recipients, deferred in this transaction, from whom the mail was taken back."""
    left = set(deferred)
    for kind, name, reason, recipients in tx.rows(_TAKEN_BACK, {"b_queue_id": queue_id}):
        meant = left.intersection(from_ranges(recipients))
        if meant:
            cancel(Wish(queue_id, sorted(meant), Actor(kind, name), Reason(reason), now))(tx)
            left -= meant
