"""Jobs of whoever carries keys: lease what is due, write what became of it. The attempt is on disk before anybody connects.

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
from gateway.spool.holds import Wish, cancel, tell_sender
from gateway.spool.key_contract import KeySending, NoKey, Stage
from gateway.spool.key_reading import KeyedMail, keyed_mail
from gateway.spool.key_rows import COLUMNS, DETAIL, SendingRow, change, sendings, understood
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.mail_json import parsed
from gateway.spool.notice import NoticeKind
from gateway.spool.statements import LIMIT, RELEASE_FACTS
from gateway.spool.times import from_us, span_us
from gateway.spool.values import SYSTEM
from gateway.store.attachment_tables import key_sendings
from gateway.store.events import Event, storable
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

SECOND_MAIL = "mail:"  # begins the receipt of a key that went in a mail of our own, before its queue id
SAID = 8  # hex digits that tell what the sender said now from what was said before; of a random wrapping, so they tell nothing
LOST_AT_MOST = 20  # attempts of which the last one's end nobody knows: who dies of a key each time must not send it for ever
LAST_DIGITS = 4  # of a number: enough for who typed it
AGAIN = timedelta(
    hours=1
)  # until a key is tried again whose record cannot be read, or whose master key is not here

_S = key_sendings.c
_IS_DUE = (_S.due_at.is_not(None), _S.due_at <= bindparam("b_now"))
_IS_BY_WAY = _S.way == bindparam("b_way")
_ANY_DUE = Prepared(select(_S.queue_id).where(*_IS_DUE).limit(sa.literal_column("1")))
_ANY_DUE_BY = Prepared(select(_S.queue_id).where(*_IS_DUE, _IS_BY_WAY).limit(sa.literal_column("1")))
_FIRST_DUE = select(*COLUMNS).where(*_IS_DUE).order_by(_S.due_at).limit(LIMIT)
_DUE = Prepared(_FIRST_DUE.with_for_update(skip_locked=True))
_DUE_BY = Prepared(_FIRST_DUE.where(_IS_BY_WAY).with_for_update(skip_locked=True))
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


def mailed(limit: int) -> Callable[[Queries], list[str]]:
    """Return the receipts of second mails of which nobody has said what became of them."""
    return lambda queries: [str(row[0]) for row in queries.rows(_MAILED, {"b_limit": limit})]


def lease_due(carrier: Carrier, limit: int, way: Way | None) -> Callable[[Tx], list[KeySending]]:
    """Lease what is due, the oldest first, and what somebody leased who did not come back."""
    statement, by = (_DUE, {}) if way is None else (_DUE_BY, {"b_way": way.value})

    def job(tx: Tx) -> list[KeySending]:
        wanted = {"b_now": carrier.now, "b_limit": limit, **by}
        found = [row for each in tx.rows(statement, wanted) if (row := _readable(tx, each, carrier.now))]
        leased = [_lease(tx, row, carrier) for row in found]
        return [sending for sending in leased if sending is not None]

    return job


def sent(sending: KeySending, receipt: str, now: int) -> Callable[[Tx], None]:
    """Write that it was handed over, unless the lease is over."""
    receipt = _kept(receipt, sending)

    def job(tx: Tx) -> None:
        if (row := _leased(tx, sending)) is not None:
            if row.stopped and _called_back(tx, row, receipt, now):
                return
            detail = {"receipt": receipt} if receipt else {}
            change(
                tx, row, now, stage=Stage.SENT, due_at=None, lease=None, receipt=receipt or None, detail=""
            )
            tx.event(_event(row, Kind.KEY_SENT, Reason.CARRIER, now, **detail))

    return job


def not_sent(sending: KeySending, detail: str, retry_at: int | None, now: int) -> Callable[[Tx], None]:
    """Write that it was not: tried again then, or given up, of which the sender is told."""
    why = _kept(detail, sending)

    def job(tx: Tx) -> None:
        row = _leased(tx, sending)
        if row is None:
            return
        if row.stopped:
            _stop(tx, row, now)
            return
        if retry_at is None:
            _give_up(tx, row, why, now)
            return
        change(tx, row, now, stage=Stage.READY, due_at=retry_at, lease=None, detail=why)
        at = from_us(retry_at).isoformat()
        tx.event(_event(row, Kind.KEY_DEFERRED, Reason.CARRIER, now, reply=why, retry_at=at))

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
                tx.event(_event(row, Kind.KEY_ARRIVED, Reason.CARRIER, now))
            else:
                _give_up(tx, row, why, now)
        return bool(rows)

    return job


def _readable(tx: Tx, row: tuple[Any, ...], now: int) -> SendingRow | None:
    """Return a row, unless it says what nobody here understands: that one is looked at later, and keeps no other waiting."""
    if understood(row):
        return SendingRow.of(row)
    tx.run(_LATER, {"b_queue_id": row[0], "b_recipient": row[1], "b_at": now + span_us(AGAIN)})
    return None


def _lease(tx: Tx, row: SendingRow, carrier: Carrier) -> KeySending | None:
    if row.stopped:
        _stop(tx, row, carrier.now)
        return None
    if row.stage is Stage.SENDING and row.attempts >= LOST_AT_MOST:
        _give_up(tx, row, "nobody knows whether it went", carrier.now)
        return None
    try:
        mail = keyed_mail(tx, row.queue_id, [row.recipient])
        text, to = _opened(mail, row, carrier.master)
    except NoKey:
        _give_up(tx, row, "the key is deleted", carrier.now)
        return None
    except Exception as error:  # whatever a row holds: one mail must not keep all others' keys from going
        _put_off(tx, row, f"it cannot be opened ({type(error).__name__})", carrier.now)
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
    tx.event(_event(row, Kind.KEY_ATTEMPT, reason, carrier.now, attempt=row.attempts))
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


def number_to(row: SendingRow, master: MasterKey) -> str:
    """Return the number that the sender typed; empty where the sender typed none. Raises MasterKeyError."""
    if row.wrapped_to is None:
        return ""
    holder = master.holding(row.key_id or "") or master
    binding = bound(key_sendings.name, row.queue_id, row.recipient)
    return holder.unwrap(bytes(row.wrapped_to), binding).decode("ascii")


def last_digits(row: SendingRow, master: MasterKey) -> str:
    """Return what may be shown of that number: its end; empty where it cannot be read."""
    try:
        return number_to(row, master)[-LAST_DIGITS:]
    except MasterKeyError:
        return ""


def _leased(tx: Tx, sending: KeySending) -> SendingRow | None:
    row = sendings(tx, sending.queue_id, [sending.recipient], lock=True).get(sending.recipient)
    if row is None or row.stage is not Stage.SENDING or row.lease != sending.lease:
        return None
    return row


def _stop(tx: Tx, row: SendingRow, now: int) -> None:
    """End what was stopped in the middle of an attempt that nobody knows to have succeeded."""
    change(tx, row, now, stage=Stage.STOPPED, due_at=None, lease=None, key_id=None, wrapped_to=None)
    tx.event(_event(row, Kind.KEY_STOPPED, Reason.SYSTEM, now, reply=row.detail))


def _called_back(tx: Tx, row: SendingRow, receipt: str, now: int) -> bool:
    """Stop a key that was handed over after it was stopped, where that can be: a mail of ours that has not left."""
    own = receipt.removeprefix(SECOND_MAIL)
    if row.way is not Way.SECOND_MAIL or own == receipt:
        return False
    done = cancel(Wish(own, None, SYSTEM, Reason.SYSTEM, now))(tx)
    if done is None or done.not_done or done.perhaps:
        return False
    _stop(tx, row, now)
    return True


def _give_up(tx: Tx, row: SendingRow, why: str, now: int) -> None:
    change(tx, row, now, stage=Stage.FAILED, due_at=None, lease=None, detail=why)
    tx.event(_event(row, Kind.KEY_FAILED, Reason.CARRIER, now, reply=why))
    tell_lost(tx, row, why, now)


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


def _put_off(tx: Tx, row: SendingRow, why: str, now: int) -> None:
    due_at = now + span_us(AGAIN)
    change(tx, row, now, stage=Stage.READY, due_at=due_at, lease=None, detail=why)
    retry_at = from_us(due_at).isoformat()
    tx.event(_event(row, Kind.KEY_DEFERRED, Reason.UNREADABLE, now, reply=why, retry_at=retry_at))


def _kept(text: str, sending: KeySending) -> str:
    """Return what is kept of a carrier's words: never the key, nor the number, that it may repeat."""
    for secret in (sending.text, sending.to, sending.to.lstrip("+"), sending.to[3:]):
        if secret:
            text = text.replace(secret, "…")
    return storable(text)[:DETAIL]


def _event(row: SendingRow, kind: Kind, reason: Reason, now: int, **detail: object) -> Event:
    told = {"way": str(row.way or ""), **detail}
    return Event(
        *(now, row.queue_id, kind, reason, SYSTEM.kind, SYSTEM.name, str(row.recipient)), detail=told
    )
