"""Jobs that begin an attempt: lease what is due. The attempt is on disk before anybody connects anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.spool.due import take
from gateway.spool.known import KnownMessages
from gateway.spool.last_gate import who_may_leave
from gateway.spool.leases import Lease, Leases
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.moves import Arrival, move
from gateway.spool.records import MessageRow, RecipientRow, ranges_of, stored
from gateway.spool.statements import messages_in
from gateway.spool.times import from_us, span_us, to_us
from gateway.spool.values import Claim, Recipient, Stored
from gateway.store.events import Event
from gateway.store.tx import Tx
from gateway.values import dataclass

UNREADABLE_AGAIN = timedelta(hours=1)  # until a mail whose envelope cannot be read is looked at again


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a claim asks for: see `Spool.claim`."""

    now: datetime
    limit: int
    lease: timedelta
    share: int
    crowded: frozenset[str] = frozenset()


def claim(
    wanted: Wanted, leases: Leases, begun: list[str], known: KnownMessages
) -> Callable[[Tx], list[Claim]]:
    """Lease what is due, oldest first; one claim per message. A mail that cannot be read is put off, the others go.

    The tokens of all leases it began are added to `begun`, for who has to end them where nobody learns of the claims.
    """

    def job(tx: Tx) -> list[Claim]:
        at = to_us(wanted.now)
        groups = take(tx, at, wanted.limit, wanted.share, wanted.crowded)
        messages = known.among(queue_id for queue_id, _ in groups)
        messages |= _messages(tx, [queue_id for queue_id, _ in groups if queue_id not in messages])
        claims = []
        for queue_id, rows in groups:
            lease = leases.begin(at, wanted.lease, len(rows))
            begun.append(lease.token)
            if (claim := _lease(tx, messages[queue_id], rows, at, lease)) is not None:
                known.keep(messages[queue_id])
                claims.append(claim)
        return claims

    return job


def claim_rows(
    rows: Sequence[RecipientRow], wanted: Wanted, leases: Leases, begun: list[str]
) -> Callable[[Tx], Claim | None]:
    """Lease these due recipients of one message; fails where one was moved meanwhile. `begun` gets the lease's token."""
    shared = list(rows[: wanted.share])

    def job(tx: Tx) -> Claim | None:
        at, queue_id = to_us(wanted.now), rows[0].queue_id
        message = _messages(tx, [queue_id])[queue_id]
        lease = leases.begin(at, wanted.lease, len(shared))
        begun.append(lease.token)
        return _lease(tx, message, shared, at, lease)

    return job


def _messages(tx: Tx, queue_ids: list[str]) -> dict[str, MessageRow]:
    if not queue_ids:
        return {}
    found = tx.connection.execute(messages_in(queue_ids)).all()
    return {message.queue_id: message for message in (MessageRow(*row) for row in found)}


def _lease(tx: Tx, message: MessageRow, rows: list[RecipientRow], at: int, lease: Lease) -> Claim | None:
    rows = who_may_leave(tx, message, rows, at)
    if not rows:
        return None
    arrival = Arrival(at, attempts=1, lease=lease.token, owner=lease.owner, lease_until=lease.until)
    move(tx, rows, State.ACTIVE, arrival)
    tx.event(Event(at, message.queue_id, Kind.ATTEMPT, Reason.SYSTEM, recipients=ranges_of(rows)))
    try:
        return Claim(_leased(message, sorted(rows), at), lease.token, from_us(lease.until))
    except Exception as error:  # whatever a row holds: one mail must not keep all others from leaving
        leased = [row._replace(state=State.ACTIVE, due_at=None, lease=lease.token) for row in rows]
        _put_off(tx, leased, f"the stored envelope cannot be read ({type(error).__name__})", at)
        return None


def _leased(known: MessageRow, rows: Sequence[RecipientRow], at: int) -> Stored:
    """Return the message with these recipients as the lease leaves them."""
    message, since = stored(known, ()), from_us(at)
    addresses, decision = message.envelope.recipients, message.decision
    recipients = [
        Recipient(
            index=row.idx,
            address=addresses[row.idx],
            external=decision.of(row.idx).external,
            state=State.ACTIVE,
            due_at=None,
            attempts=row.attempts + 1,
            reply=row.reply,
            changed_at=since,
            perhaps=bool(row.perhaps),
        )
        for row in rows
    ]
    return replace(message, recipients=tuple(recipients))


def _put_off(tx: Tx, rows: list[RecipientRow], why: str, at: int) -> None:
    """Give leased recipients back whose mail nobody can read; expiry ends it if nobody mends it."""
    due_at = at + span_us(UNREADABLE_AGAIN)
    move(tx, rows, State.DEFERRED, Arrival(at, due_at=due_at, reply=why))
    queue_id, detail = rows[0].queue_id, {"reply": why, "retry_at": from_us(due_at).isoformat()}
    tx.event(Event(at, queue_id, Kind.DEFERRED, Reason.UNREADABLE, recipients=ranges_of(rows), detail=detail))
