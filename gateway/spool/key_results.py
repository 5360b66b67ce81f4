"""Jobs that write what became of a key that was carried: handed over, put off, given up, arrived.

What a worker says after its lease is over changes nothing. The sender is told of a key that did not get there; one that was
stopped while it was under way is called back where that can be.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.protection import Way
from gateway.spool.holds import Wish, cancel, tell_sender
from gateway.spool.key_contract import SECOND_MAIL, KeySending, Stage
from gateway.spool.key_rows import COLUMNS, DETAIL, SendingRow, change, sendings
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.mail_json import parsed
from gateway.spool.notice import NoticeKind
from gateway.spool.statements import LIMIT, RELEASE_FACTS
from gateway.spool.times import from_us
from gateway.spool.values import SYSTEM, Actor
from gateway.store.attachment_tables import key_sendings
from gateway.store.events import Event, storable
from gateway.store.tx import Prepared, Queries, Tx

_S = key_sendings.c
_MAILED = Prepared(
    select(_S.receipt)
    .where(
        _S.receipt.is_not(None),
        _S.way == sa.literal_column(f"'{Way.SECOND_MAIL}'"),
        _S.stage == sa.literal_column(f"'{Stage.SENT}'"),
    )
    .limit(LIMIT)
)
_OF_RECEIPT = Prepared(
    select(*COLUMNS).where(_S.receipt.is_not(None), _S.receipt == bindparam("b_receipt")).with_for_update()
)


def sent(sending: KeySending, receipt: str, now: int) -> Callable[[Tx], None]:
    """Write that it was handed over, unless the lease is over."""
    receipt = _kept(receipt, sending)

    def job(tx: Tx) -> None:
        row = _leased(tx, sending)
        if row is None:
            return
        stoppable = row.stopped and row.way is Way.SECOND_MAIL
        if stoppable and called_back(tx, receipt, SYSTEM, Reason.SYSTEM, now):
            stop(tx, row, now)
            return
        detail = {"receipt": receipt} if receipt else {}
        change(tx, row, now, stage=Stage.SENT, due_at=None, lease=None, receipt=receipt or None, detail="")
        tx.event(key_event(row, Kind.KEY_SENT, Reason.CARRIER, now, **detail))

    return job


def not_sent(sending: KeySending, detail: str, retry_at: int | None, now: int) -> Callable[[Tx], None]:
    """Write that it was not: tried again then, or given up, of which the sender is told."""
    why = _kept(detail, sending)

    def job(tx: Tx) -> None:
        row = _leased(tx, sending)
        if row is None:
            return
        if row.stopped:
            stop(tx, row, now)
        elif retry_at is None:
            give_up(tx, row, why, now)
        else:
            put_off(tx, row, why, retry_at, Reason.CARRIER, now)

    return job


def receipted(receipt: str, arrived: bool, detail: str, now: int) -> Callable[[Tx], bool]:
    """Write what the carrier said later; False where nobody knows that receipt. The first word counts."""
    why = storable(detail)[:DETAIL]

    def job(tx: Tx) -> bool:
        rows = [SendingRow.of(row) for row in tx.rows(_OF_RECEIPT, {"b_receipt": storable(receipt)[:DETAIL]})]
        for row in rows:
            if row.stage is not Stage.SENT:
                continue
            if arrived:
                change(tx, row, now, stage=Stage.ARRIVED, detail=why)
                tx.event(key_event(row, Kind.KEY_ARRIVED, Reason.CARRIER, now))
            else:
                give_up(tx, row, why, now)
        return bool(rows)

    return job


def mailed(limit: int) -> Callable[[Queries], list[str]]:
    """Return the receipts of second mails of which nobody has said what became of them."""
    return lambda queries: [str(row[0]) for row in queries.rows(_MAILED, {"b_limit": limit})]


def _leased(tx: Tx, sending: KeySending) -> SendingRow | None:
    row = sendings(tx, sending.queue_id, [sending.recipient], lock=True).get(sending.recipient)
    if row is None or row.stage is not Stage.SENDING or row.lease != sending.lease:
        return None
    return row


def stop(tx: Tx, row: SendingRow, now: int) -> None:
    """End what was stopped in the middle of an attempt that nobody knows to have succeeded."""
    change(tx, row, now, stage=Stage.STOPPED, due_at=None, lease=None, key_id=None, wrapped_to=None)
    tx.event(key_event(row, Kind.KEY_STOPPED, Reason.SYSTEM, now, reply=row.detail))


def called_back(tx: Tx, receipt: str, actor: Actor, reason: Reason, now: int) -> bool:
    """Cancel the mail of ours that carries a key; tell whether it never leaves, nor may have."""
    own = receipt.removeprefix(SECOND_MAIL)
    if own == receipt:
        return False
    done = cancel(Wish(own, None, actor, reason, now))(tx)
    return done is not None and bool(done.done) and not done.not_done and not done.perhaps


def give_up(tx: Tx, row: SendingRow, why: str, now: int) -> None:
    """End it, and tell the sender."""
    change(tx, row, now, stage=Stage.FAILED, due_at=None, lease=None, detail=why)
    tx.event(key_event(row, Kind.KEY_FAILED, Reason.CARRIER, now, reply=why))
    tell_lost(tx, row, why, now)


def put_off(tx: Tx, row: SendingRow, why: str, due_at: int, reason: Reason, now: int) -> None:
    """Let it be tried again at that time."""
    change(tx, row, now, stage=Stage.READY, due_at=due_at, lease=None, detail=why)
    retry_at = from_us(due_at).isoformat()
    tx.event(key_event(row, Kind.KEY_DEFERRED, reason, now, reply=why, retry_at=retry_at))


def tell_lost(tx: Tx, row: SendingRow, why: str, now: int) -> None:
    """Tell the sender that a key did not get there; nothing of recipients whom the sender does not know."""
    if not _is_copy(tx, row):
        tell_sender(tx, NoticeKind.KEY_FAILED, row.queue_id, [row.recipient], now, f"{row.way}:{why}")


def _is_copy(tx: Tx, row: SendingRow) -> bool:
    """Tell whether the sender knows nothing of this recipient, or nobody can tell."""
    facts = tx.row(RELEASE_FACTS, {"b_queue_id": row.queue_id})
    try:
        return facts is None or parsed(facts[1], facts[2])[1].is_copy(row.recipient)
    except Exception:  # whatever a row holds
        return True


def _kept(text: str, sending: KeySending) -> str:
    """Return what is kept of a carrier's words: never the key, nor the number, that it may repeat."""
    for secret in (sending.text, sending.to, sending.to.lstrip("+"), sending.to[3:]):
        if secret:
            text = text.replace(secret, "…")
    return storable(text)[:DETAIL]


def key_event(row: SendingRow, kind: Kind, reason: Reason, now: int, **detail: object) -> Event:
    """Return an event about one recipient's key."""
    told = {"way": str(row.way or ""), **detail}
    return Event(
        *(now, row.queue_id, kind, reason, SYSTEM.kind, SYSTEM.name, str(row.recipient)), detail=told
    )
