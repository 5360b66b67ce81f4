"""The tables of keys, as statements and rows. Whoever changes several of them takes key_sendings before message_keys.

`way` of a row is the one that counts, wherever it came from: acceptance writes what the decision says, `supply` what the
sender says. A row that is missing says that nothing may be sent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.ranges import INDEXES
from gateway.store.attachment_tables import key_sendings, message_keys
from gateway.store.errors import StoreConflict
from gateway.store.tx import Prepared, Queries, Tx

DETAIL = 200  # characters kept of what a carrier says, and of its name for what it carries
NO_MORE = "stopped while it was being sent"  # what a row under way says that is never tried again

_WAYS, _STAGES = frozenset(map(str, Way)), frozenset(map(str, Stage))
_S = key_sendings.c
_K = message_keys.c


class SendingRow(NamedTuple):
    """A row of key_sendings, in the order of its columns."""

    queue_id: str
    recipient: int
    way: Way | None
    stage: Stage
    key_id: str | None
    wrapped_to: bytes | None
    due_at: int | None
    lease: str | None
    attempts: int
    receipt: str | None
    detail: str
    changed_at: int

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> SendingRow:
        """Read a row. One that says what nobody here understands sends nothing, and holds up nothing else of its mail."""
        if not understood(row):
            return cls(row[0], row[1], None, Stage.STOPPED, *row[4:])
        return cls(row[0], row[1], None if row[2] is None else Way(row[2]), Stage(row[3]), *row[4:])

    @property
    def never_out(self) -> bool:
        """Tell whether nobody has tried to send it, and the recipient has it by no other way."""
        return self.stage in (Stage.WAITING, Stage.READY) and not self.attempts and not self.detail

    @property
    def stopped(self) -> bool:
        """Tell whether it was stopped in the middle of an attempt: nobody tries again, whatever becomes of that one."""
        return self.stage is Stage.SENDING and self.detail == NO_MORE


def understood(row: tuple[Any, ...]) -> bool:
    """Tell whether the way and the stage of a row are known here: a later release may have others."""
    return row[3] in _STAGES and (row[2] is None or row[2] in _WAYS)


class KeyRow(NamedTuple):
    """A row of message_keys."""

    number: int
    key_id: str
    wrapped: bytes
    expires_at: int
    shown_at: int | None


COLUMNS = tuple(key_sendings.c[name] for name in SendingRow._fields)
_OF_IT = _S.queue_id == bindparam("b_queue_id")
_BETWEEN = _S.recipient.between(bindparam("b_first"), bindparam("b_last"))
_READ = Prepared(select(*COLUMNS).where(_OF_IT, _BETWEEN).order_by(_S.recipient))
_LOCK = Prepared(select(*COLUMNS).where(_OF_IT, _BETWEEN).order_by(_S.recipient).with_for_update())
_KEYS = Prepared(
    select(*[_K[name] for name in KeyRow._fields]).where(
        _K.queue_id == bindparam("b_queue_id"),
        sa.or_(
            _K.number == sa.literal_column("0"),
            _K.number.between(bindparam("b_first") + 1, bindparam("b_last") + 1),
        ),
    )
)
_NEEDS: dict[str, Any] = {
    name: bindparam(f"b_{name}")
    for name in SendingRow._fields
    if name not in ("queue_id", "recipient")  # which it is
}
_CHANGE = Prepared(
    key_sendings.update()
    .where(
        _OF_IT,
        _S.recipient == bindparam("b_recipient"),
        _S.stage == bindparam("b_was"),
        _S.lease.is_not_distinct_from(bindparam("b_was_lease")),
    )
    .values(**_NEEDS)
)
_FORGET = Prepared(
    message_keys.delete().where(_K.queue_id == bindparam("b_queue_id"), _K.number == bindparam("b_number"))
)


def sendings(
    queries: Queries, queue_id: str, indexes: Collection[int] | None = None, *, lock: bool = False
) -> dict[int, SendingRow]:
    """Return the sendings of these recipients, or of all, by index."""
    first, last = _range(indexes)
    between = {"b_queue_id": queue_id, "b_first": first, "b_last": last}
    rows = queries.rows(_LOCK if lock else _READ, between)
    chosen = None if indexes is None else frozenset(indexes)
    return {row[1]: SendingRow.of(row) for row in rows if chosen is None or row[1] in chosen}


def keys(queries: Queries, queue_id: str, indexes: Collection[int] | None = None) -> dict[int, KeyRow]:
    """Return the keys of a mail by number, wrapped: those that these recipients may need, among others, or all."""
    first, last = _range(indexes)
    rows = queries.rows(_KEYS, {"b_queue_id": queue_id, "b_first": first, "b_last": last})
    return {row[0]: KeyRow(*row) for row in rows}


def _range(indexes: Collection[int] | None) -> tuple[int, int]:
    """Return what to read: a mail to 40,000 is sealed a hundred at a time."""
    if indexes is None:
        return 0, INDEXES - 2  # the number of its key is one more
    there = [index for index in indexes if 0 <= index < INDEXES - 1]
    return min(there, default=0), max(there, default=-1)


def change(tx: Tx, was: SendingRow, now: int, **new: object) -> SendingRow:
    """Put a row, as read in this transaction, to new values; raises StoreConflict where another process moved it."""
    row = was._replace(changed_at=now, **new)  # type: ignore[arg-type]  # each value is of its column's type
    change_all(tx, [(was, row)])
    return row


def change_all(tx: Tx, changes: Sequence[tuple[SendingRow, SendingRow]]) -> None:
    """Put rows to new ones, all in one call; raises StoreConflict where another process moved one."""
    values = [
        {f"b_{name}": value for name, value in row._asdict().items()}
        | {"b_was": was.stage, "b_was_lease": was.lease}
        for was, row in changes
    ]
    if tx.many(_CHANGE, values) != len(values):
        raise StoreConflict("the sending of a key was moved by another process")


def forget_key(tx: Tx, queue_id: str, number: int) -> None:
    """Delete one key for good."""
    tx.run(_FORGET, {"b_queue_id": queue_id, "b_number": number})
