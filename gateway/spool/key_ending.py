"""Keys that are deleted on time, and with their mail. A key that is not there cannot be found, whoever gets hold of the store.

At its time a key goes whatever became of the mail: a copy that is still on its way cannot be sealed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.key_results import tell_lost
from gateway.spool.key_rows import COLUMNS, SendingRow, change, forget_key, keys, sendings
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.ranges import to_ranges
from gateway.spool.statements import LIMIT
from gateway.spool.values import SYSTEM, Actor
from gateway.store.attachment_tables import key_sendings, message_keys
from gateway.store.events import Event
from gateway.store.schema import recipients
from gateway.store.tx import Prepared, Queries, Tx

OVER = "expired"  # why a key did not get there that was due until its time was over
RESTORED = "restored from a backup: may have been sent since"

_K = message_keys.c
_S = key_sendings.c
_IS_OVER = _K.expires_at <= bindparam("b_now")
_ANY_OVER = Prepared(select(_K.queue_id).where(_IS_OVER).limit(sa.literal_column("1")))
_OVER = Prepared(select(_K.queue_id, _K.number).where(_IS_OVER).order_by(_K.expires_at).limit(LIMIT))
_GOING = Prepared(
    select(*COLUMNS).where(_S.due_at.is_not(None)).order_by(_S.due_at).limit(LIMIT).with_for_update()
)


_R = recipients.c
_LEFT = Prepared(  # from the keys that are kept, which are those of a fortnight
    select(_S.queue_id, _S.recipient)
    .join_from(message_keys, key_sendings, _S.queue_id == _K.queue_id)
    .join(recipients, sa.and_(_R.queue_id == _S.queue_id, _R.idx == _S.recipient))
    .where(
        _S.stage == sa.literal_column(f"'{Stage.WAITING}'"),
        _R.state.in_([sa.literal_column(f"'{state}'") for state in (State.CANCELLED, State.BOUNCED)]),
    )
    .distinct()
    .limit(LIMIT)
)


def left_behind(limit: int) -> Callable[[Queries], dict[str, list[int]]]:
    """Return whose keys wait for mail that will not come: a gateway of the release before cancels without knowing of keys."""

    def read(queries: Queries) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for queue_id, index in queries.rows(_LEFT, {"b_limit": limit}):
            found.setdefault(queue_id, []).append(index)
        return found

    return read


def stop_left(left: Mapping[str, Collection[int]], now: int) -> Callable[[Tx], int]:
    """Stop those keys; return of how many mails."""

    def job(tx: Tx) -> int:
        for queue_id, indexes in sorted(left.items()):
            stop_keys(tx, queue_id, indexes, Reason.SYSTEM, SYSTEM, now)
        return len(left)

    return job


def any_over(now: int) -> Callable[[Queries], bool]:
    """Tell whether some key's time is over: nearly always none is, and no transaction is needed."""
    return lambda queries: queries.row(_ANY_OVER, {"b_now": now}) is not None


def delete_over(now: int, limit: int) -> Callable[[Tx], int]:
    """Delete up to `limit` keys whose time is over, and stop what would send them; return how many."""

    def job(tx: Tx) -> int:
        numbers: dict[str, list[int]] = {}
        for queue_id, number in tx.rows(_OVER, {"b_now": now, "b_limit": limit}):
            numbers.setdefault(queue_id, []).append(number)
        for queue_id, of in sorted(numbers.items()):
            _delete(tx, queue_id, of, now)
        return sum(map(len, numbers.values()))

    return job


def told_deleted(tx: Tx, queue_ids: Collection[str], now: int) -> None:
    """Write that the keys of these mails are deleted, with their records."""
    found = select(_K.queue_id).where(_K.queue_id.in_(queue_ids)).group_by(_K.queue_id)
    for queue_id in tx.connection.execute(found).scalars():
        tx.event(Event(now, queue_id, Kind.KEY_DELETED, Reason.RETENTION))


def hold_keys(made_at: str, actor: Actor, now: int, limit: int) -> Callable[[Tx], int]:
    """Let no key go by itself that a backup knows as not sent: it may have been, since. Return how many."""

    def job(tx: Tx) -> int:
        rows = [SendingRow.of(row) for row in tx.rows(_GOING, {"b_limit": limit})]
        for row in rows:
            change(tx, row, now, stage=Stage.FAILED, due_at=None, lease=None, detail=RESTORED)
            told = Event(now, row.queue_id, Kind.KEY_FAILED, Reason.RESTORED, actor.kind, actor.name)
            tx.event(told._replace(recipients=str(row.recipient), detail={"backup": made_at}))
        return len(rows)

    return job


def _delete(tx: Tx, queue_id: str, numbers: Collection[int], now: int) -> None:
    """Delete keys; number 0 is that of all who have none of their own."""
    rows = sendings(tx, queue_id, None if 0 in numbers else [number - 1 for number in numbers], lock=True)
    own = keys(tx, queue_id).keys() - {0}
    for number in numbers:
        forget_key(tx, queue_id, number)
    concerned = [row for row in rows.values() if _number(row, own) in numbers]
    unsent = [row for row in concerned if row.stage in (Stage.WAITING, Stage.READY)]
    for row in unsent:
        change(tx, row, now, stage=Stage.STOPPED, due_at=None, lease=None)
        if row.due_at is not None:  # ours to send, and the mail is there
            tell_lost(tx, row, OVER, now)
    for kind, of in ((Kind.KEY_STOPPED, unsent), (Kind.KEY_DELETED, concerned)):
        if of:
            indexes = to_ranges(row.recipient for row in of)
            tx.event(Event(now, queue_id, kind, Reason.RETENTION, SYSTEM.kind, SYSTEM.name, indexes))


def _number(row: SendingRow, own: Collection[int]) -> int | None:
    """Return the number of the key that a recipient needs; None for one that was agreed on before."""
    if row.way is Way.PREAGREED:
        return None
    return row.recipient + 1 if row.recipient + 1 in own else 0
