"""The last gate before a lease: a recipient who still waits for people goes back, whoever let it go.

A gateway of a release before this one, beside us on the same store, lets an administrator release whatever is held: it never
learned to ask for approvals, or for the way of a key. Nothing leaves in clear because somebody pressed release. Mail that asks
nobody is not looked at: it pays a search in its decision's text.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.spool import look_rows
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.mail_json import parsed
from gateway.spool.moves import Arrival, move
from gateway.spool.records import MessageRow, RecipientRow, ranges_of
from gateway.spool.second_look import SOMEBODY, unmet
from gateway.spool.times import from_us, to_us
from gateway.store.events import Event
from gateway.store.tx import Tx

_ASKS = (
    '"confirm":',
    '"approvals":',
    '"handling":',
)  # keys of the stored decision that stand there only where somebody is asked


def who_may_leave(tx: Tx, message: MessageRow, rows: list[RecipientRow], at: int) -> list[RecipientRow]:
    """Return the recipients that wait for nobody; hold the others again, with an event."""
    if not any(key in message.decision for key in _ASKS):
        return rows
    kept = _waiting(tx, message, rows)
    if not kept:
        return rows
    move(tx, kept, State.HELD, Arrival(at, due_at=to_us(SOMEBODY)))
    indexes = ranges_of(kept)
    detail = {"reply": "released without what people have to do: held again"}
    tx.event(Event(at, message.queue_id, Kind.DEFERRED, Reason.POLICY, recipients=indexes, detail=detail))
    return [row for row in rows if row not in kept]


def _waiting(tx: Tx, message: MessageRow, rows: Sequence[RecipientRow]) -> list[RecipientRow]:
    try:
        _, decision = parsed(message.envelope, message.decision)
    except Exception:  # whatever a row holds: who leases it tells that it cannot be read, and puts it off
        return []
    looks = look_rows.read(tx, message.queue_id, decision, from_us(message.received_at)).looks
    return [row for row in rows if unmet(looks, row.idx)]
