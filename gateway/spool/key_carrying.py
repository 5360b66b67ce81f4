"""Lease keys to whoever carries them. The attempt is on disk before anybody connects; what becomes of it is in key_results.

A lease is a token and a time in the row itself: whoever looks for due keys finds those whose lease ran out, too, and what a
worker says after that changes nothing. So a key may be sent twice, after a crash; it never stays unsent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.protection import Way
from gateway.spool.key_contract import KeySending, NoKey, Stage
from gateway.spool.key_reading import KeyedMail, keyed_mail, number_to
from gateway.spool.key_results import give_up, key_event, put_off, stop
from gateway.spool.key_rows import COLUMNS, SendingRow, change, understood
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.statements import LIMIT
from gateway.spool.times import span_us
from gateway.store.attachment_tables import key_sendings
from gateway.store.keys import MasterKey
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

SAID = 8  # hex digits that tell what the sender said now from what was said before; of a random wrapping, so they tell nothing
LOST_AT_MOST = 20  # attempts of which the last one's end nobody knows: who dies of a key each time must not send it for ever
# Until a key is tried again whose record cannot be read, or whose master key is not here.
AGAIN = timedelta(hours=1)

_S = key_sendings.c
_IS_DUE = (_S.due_at.is_not(None), _S.due_at <= bindparam("b_now"))
_IS_BY_WAY = _S.way == bindparam("b_way")
_ANY_DUE = Prepared(select(_S.queue_id).where(*_IS_DUE).limit(sa.literal_column("1")))
_ANY_DUE_BY = Prepared(select(_S.queue_id).where(*_IS_DUE, _IS_BY_WAY).limit(sa.literal_column("1")))
_FIRST_DUE = select(*COLUMNS).where(*_IS_DUE).order_by(_S.due_at).limit(LIMIT)
_DUE = Prepared(_FIRST_DUE.with_for_update(skip_locked=True))
_DUE_BY = Prepared(_FIRST_DUE.where(_IS_BY_WAY).with_for_update(skip_locked=True))
_LATER = Prepared(
    key_sendings.update()
    .where(_S.queue_id == bindparam("b_queue_id"), _S.recipient == bindparam("b_recipient"))
    .values(due_at=bindparam("b_at", type_=sa.BigInteger))
)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who takes keys now: the lease's token and end, the time, and the master key that opens them."""

    token: str
    until: int
    now: int
    master: MasterKey


def any_due(now: int, way: Way | None) -> Callable[[Queries], bool]:
    """Tell whether `lease_due` may find any: most looks find none, and need no turn of the committer."""
    statement, by = (_ANY_DUE, {}) if way is None else (_ANY_DUE_BY, {"b_way": way.value})
    return lambda queries: queries.row(statement, {"b_now": now, **by}) is not None


def lease_due(carrier: Carrier, limit: int, way: Way | None) -> Callable[[Tx], list[KeySending]]:
    """Lease what is due, the oldest first, and what somebody leased who did not come back."""
    statement, by = (_DUE, {}) if way is None else (_DUE_BY, {"b_way": way.value})

    def job(tx: Tx) -> list[KeySending]:
        wanted = {"b_now": carrier.now, "b_limit": limit, **by}
        found = [row for each in tx.rows(statement, wanted) if (row := _readable(tx, each, carrier.now))]
        leased = [_lease(tx, row, carrier) for row in found]
        return [sending for sending in leased if sending is not None]

    return job


def _readable(tx: Tx, row: tuple[Any, ...], now: int) -> SendingRow | None:
    """Return a row, unless it says what nobody here understands: that one is looked at later, and keeps no other waiting."""
    if understood(row):
        return SendingRow.of(row)
    tx.run(_LATER, {"b_queue_id": row[0], "b_recipient": row[1], "b_at": now + span_us(AGAIN)})
    return None


def _lease(tx: Tx, row: SendingRow, carrier: Carrier) -> KeySending | None:
    if row.stopped:
        stop(tx, row, carrier.now)
        return None
    if row.stage is Stage.SENDING and row.attempts >= LOST_AT_MOST:
        give_up(tx, row, "nobody knows whether it went", carrier.now)
        return None
    try:
        mail = keyed_mail(tx, row.queue_id, [row.recipient])
        text, to = _opened(mail, row, carrier.master)
    except NoKey:
        give_up(tx, row, "the key is deleted", carrier.now)
        return None
    except Exception as error:  # whatever a row holds: one mail must not keep all others' keys from going
        why = f"it cannot be opened ({type(error).__name__})"
        put_off(tx, row, why, carrier.now + span_us(AGAIN), Reason.UNREADABLE, carrier.now)
        return None
    lost = row.stage is Stage.SENDING
    row = change(
        *(tx, row, carrier.now),
        stage=Stage.SENDING,
        due_at=carrier.until,
        lease=carrier.token,
        attempts=row.attempts + 1,
    )
    reason = Reason.LEASE_LOST if lost else Reason.SYSTEM
    tx.event(key_event(row, Kind.KEY_ATTEMPT, reason, carrier.now, attempt=row.attempts))
    way = row.way or Way.SMS  # a row that is due has one
    said = "" if row.wrapped_to is None else hashlib.sha256(bytes(row.wrapped_to)).hexdigest()[:SAID]
    return KeySending(row.queue_id, row.recipient, way, row.attempts, carrier.token, to, text, said)


def _opened(mail: KeyedMail | None, row: SendingRow, master: MasterKey) -> tuple[str, str]:
    """Return the key, and where it goes."""
    number = None if mail is None else mail.number(row.recipient)
    if mail is None or number is None or row.way not in (Way.SMS, Way.SECOND_MAIL):
        raise ValueError("nothing to send")
    text = mail.text(number, master)
    if row.way is Way.SECOND_MAIL:
        return text, str(mail.envelope.recipients[row.recipient])
    return text, number_to(row, master)
