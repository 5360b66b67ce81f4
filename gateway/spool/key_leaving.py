"""The mail has reached recipients: their keys may go. In the transaction that records the delivery.

A key never goes before its mail: who holds a key and no file knows that something is coming, and one that is stopped in the
window must leave no trace outside.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.protection import Way
from gateway.spool.holds import tell_sender
from gateway.spool.key_contract import Stage
from gateway.spool.key_making import handling_of, number_of
from gateway.spool.key_rows import SendingRow, change_all, keys, sendings
from gateway.spool.notice import NoticeKind
from gateway.spool.times import span_us
from gateway.spool.values import Stored
from gateway.store.attachment_tables import key_sendings
from gateway.store.tx import Prepared, Tx

SECOND_MAIL_AFTER = timedelta(minutes=10)
"""Between the mail and the mail with its key: time to notice a wrong recipient, and to stop the key."""

_S = key_sendings.c
_OF_SENDER = (_S.queue_id == bindparam("b_queue_id"), _S.way == sa.literal_column(f"'{Way.SENDER}'"))
_LOCK_SENDERS = Prepared(select(_S.recipient).where(*_OF_SENDER).order_by(_S.recipient).with_for_update())
_TOLD = Prepared(
    select(_S.recipient)
    .where(
        *_OF_SENDER,
        _S.recipient < bindparam("b_known"),
        _S.stage.not_in([sa.literal_column(f"'{each}'") for each in ("waiting", "stopped")]),
    )
    .limit(sa.literal_column("1"))
)


def let_keys_go(tx: Tx, message: Stored, delivered: Collection[int], now: int) -> None:
    """Let the keys of these recipients go, each by its way; the first that the sender tells asks the sender to."""
    rows = [row for row in sendings(tx, message.queue_id, delivered).values() if row.stage is Stage.WAITING]
    if not rows:
        return
    tells = any(row.way is Way.SENDER and not message.decision.is_copy(row.recipient) for row in rows)
    first = tells and _nobody_told(tx, message)
    shown = _shown(tx, message, delivered) if tells else frozenset()
    change_all(tx, [(row, _gone(row, row.recipient in shown, now)) for row in rows])
    if first:
        tell_sender(tx, NoticeKind.KEY, message.queue_id, _whom_to_call(tx, message), now)


def _gone(row: SendingRow, shown: bool, now: int) -> SendingRow:
    """Return the row of a key whose mail has left."""
    stage = Stage.SENT if row.way is Way.SENDER and shown else _stage_of(row.way)
    return row._replace(stage=stage, due_at=due_of(row.way, now), changed_at=now)


def due_of(way: Way | None, now: int) -> int | None:
    """Return when a key that may go is sent; None where nothing of ours sends it."""
    if way is Way.SMS:
        return now
    return now + span_us(SECOND_MAIL_AFTER) if way is Way.SECOND_MAIL else None


def _stage_of(way: Way | None) -> Stage:
    return Stage.ARRIVED if way is Way.PREAGREED else Stage.READY


def _nobody_told(tx: Tx, message: Stored) -> bool:
    """Tell whether this is the first delivery that the sender hears of; two nodes that ask wait for one another."""
    known = len(message.envelope.recipients) - message.decision.copied
    wanted = {"b_queue_id": message.queue_id, "b_known": known}
    if tx.row(_TOLD, wanted) is not None:
        return False
    tx.rows(_LOCK_SENDERS, {"b_queue_id": message.queue_id})
    return tx.row(_TOLD, wanted) is None


def _shown(tx: Tx, message: Stored, delivered: Collection[int]) -> frozenset[int]:
    """Return whose key the sender has seen already."""
    found = keys(tx, message.queue_id, delivered)
    numbers = {number for number, key in found.items() if key.shown_at is not None}
    wanted = [(index, handling_of(message.decision, index)) for index in delivered]
    return frozenset(index for index, of in wanted if of is not None and number_of(index, of) in numbers)


def _whom_to_call(tx: Tx, message: Stored) -> list[int]:
    rows: Sequence[SendingRow] = tuple(sendings(tx, message.queue_id).values())
    called = [row.recipient for row in rows if row.way is Way.SENDER and row.stage is not Stage.STOPPED]
    return [index for index in called if not message.decision.is_copy(index)]
