"""Keys that must not travel any more: the mail was cancelled, bounced or taken back. In the transaction that says so.

A key that nobody needs any more is deleted with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.key_rows import NO_MORE, KeyRow, SendingRow, change_all, forget_key, keys, sendings
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.spool.values import Actor
from gateway.store.events import Event
from gateway.store.tx import Tx

STOPPABLE = frozenset({Stage.WAITING, Stage.READY, Stage.FAILED})


def stop_keys(
    tx: Tx, queue_id: str, indexes: Collection[int] | None, reason: Reason, actor: Actor, now: int
) -> list[int]:
    """Never send the keys of these recipients, or of all; return those to whom no key ever went by any way.

    What was handed over is not touched; of what is under way, this attempt is the last.
    """
    rows = sendings(tx, queue_id, indexes, lock=True)
    under_way = [row for row in rows.values() if row.stage is Stage.SENDING and not row.stopped]
    change_all(tx, [(row, row._replace(detail=NO_MORE)) for row in under_way])
    going = [row for row in rows.values() if row.stage in STOPPABLE]
    if not going:
        return []
    known = keys(tx, queue_id)
    never = [row.recipient for row in going if row.never_out and not _may_be_known(row, known)]
    ended = {"stage": Stage.STOPPED, "due_at": None, "lease": None, "key_id": None, "wrapped_to": None}
    change_all(tx, [(row, row._replace(changed_at=now, **ended)) for row in going])  # type: ignore[arg-type]
    stopped = to_ranges(row.recipient for row in going)
    tx.event(Event(now, queue_id, Kind.KEY_STOPPED, reason, actor.kind, actor.name, stopped))
    _forget_unneeded(tx, queue_id, {row.recipient for row in going}, known, (reason, actor, now))
    return never


def _may_be_known(row: SendingRow, known: Mapping[int, KeyRow]) -> bool:
    """Tell whether the recipient may have the key without our sending it: agreed on, or the sender has seen it."""
    if row.way is Way.PREAGREED:
        return True
    shown = [key for number in (row.recipient + 1, 0) if (key := known.get(number)) and key.shown_at]
    return row.way is Way.SENDER and bool(shown)


def _forget_unneeded(
    tx: Tx, queue_id: str, gone: set[int], known: Mapping[int, KeyRow], who: tuple[Reason, Actor, int]
) -> None:
    """Delete the keys that only these recipients needed."""
    left = [row for row in sendings(tx, queue_id).values() if row.stage is not Stage.STOPPED]
    shared = any(row.way is not Way.PREAGREED and row.recipient + 1 not in known for row in left)
    dead = {number for number in known if number - 1 in gone} | ({0} & known.keys() if not shared else set())
    for number in dead:
        forget_key(tx, queue_id, number)
    if dead:
        reason, actor, now = who
        tx.event(Event(now, queue_id, Kind.KEY_DELETED, reason, actor.kind, actor.name, to_ranges(gone)))
