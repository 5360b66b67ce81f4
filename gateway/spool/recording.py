"""Jobs that end an attempt: write what became of leased recipients, or give back those of whom nobody can tell any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from gateway.spool.freezes import hold_deferred
from gateway.spool.holds import by_message, recipients_among, tell_sender
from gateway.spool.key_leaving import let_keys_go
from gateway.spool.key_making import needs_keys
from gateway.spool.key_stopping import stop_keys
from gateway.spool.late_cancelling import cancel_taken_back
from gateway.spool.leases import Leases
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.moves import Arrival, move
from gateway.spool.notice import NoticeKind
from gateway.spool.records import RecipientRow, ranges_of
from gateway.spool.statements import LEASED
from gateway.spool.times import from_us, to_us
from gateway.spool.values import SYSTEM, Change, Claim, Result
from gateway.store.events import Event, storable
from gateway.store.tx import Tx

REPLY_LIMIT = 1_000  # characters of a next hop's reply that are kept: RFC 5321 allows 512 octets a line, replies have several
RESULTS = {
    State.DELIVERED: Kind.DELIVERED,
    State.DEFERRED: Kind.DEFERRED,
    State.BOUNCED: Kind.BOUNCED,
}


def record(
    claimed: Claim, results: Sequence[Result], now: datetime, leases: Leases
) -> Callable[[Tx], Change]:
    """Write what became of leased recipients; what is not under this lease any more is told, not touched."""
    queue_id, at = claimed.message.queue_id, to_us(now)
    unread = True  # while the lease lives, nobody else may have moved them

    def job(tx: Tx) -> Change:
        nonlocal unread
        if unread and leases.lives(claimed.lease):
            unread = False  # but we ourselves may, in a COMMIT whose answer was lost: a second run looks
            ours = results
            rows = {r.index: _as_leased(claimed, r.index, leases.owner) for r in results}
        else:
            rows = {row.idx: row for row in recipients_among(tx, queue_id, [r.index for r in results])}
            ours = [r for r in results if _is_leased(rows.get(r.index), claimed.lease, at, leases)]
        for facts, indexes in _alike(ours):
            _settle(tx, [rows[index] for index in indexes], facts, at)
        left = [r.index for r in ours if r.state is State.DELIVERED]
        keys = needs_keys(claimed.message.decision)
        if keys and left:
            let_keys_go(tx, claimed.message, left, at)
        bounced = sorted(r.index for r in ours if r.state is State.BOUNCED)
        if keys and bounced:
            stop_keys(tx, queue_id, bounced, Reason.REMOTE_REPLY, SYSTEM, at)
        if bounced:
            tell_sender(tx, NoticeKind.FAILED, queue_id, bounced, at)
        relayed = sorted(r.index for r in ours if r.tell_relayed and r.state is State.DELIVERED)
        if relayed:
            tell_sender(tx, NoticeKind.RELAYED, queue_id, relayed, at)
        back = [r.index for r in ours if r.state is State.DEFERRED]
        if back:
            cancel_taken_back(tx, queue_id, back, at)
            hold_deferred(tx, queue_id, back, at)
        done = tuple(r.index for r in ours)
        settled = frozenset(done)
        late = [r.index for r in results if r.index not in settled]
        return Change(done, tuple((index, rows[index].state) for index in late if index in rows))

    return job


def checked(results: Sequence[Result]) -> None:
    """Raise ValueError on a result that no attempt can have."""
    for result in results:
        if result.state not in RESULTS:
            raise ValueError(f"recipient {result.index}: an attempt does not end in {result.state}")
        if result.state is State.DEFERRED and result.retry_at is None:
            raise ValueError(f"recipient {result.index}: deferred without a time for the next attempt")
        if result.state is not State.DEFERRED and not result.attempted:
            raise ValueError(f"recipient {result.index}: {result.state} without an attempt")


def _is_leased(row: RecipientRow | None, lease: str, at: int, leases: Leases) -> bool:
    if row is None or row.state is not State.ACTIVE or row.lease != lease:
        return False
    return leases.lives(lease) if row.owner == leases.owner else at <= (row.lease_until or 0)


def _as_leased(claimed: Claim, index: int, owner: str) -> RecipientRow:
    """Return what a recipient's row must say while its lease is alive; the compare-and-set of `move` proves it."""
    return RecipientRow(
        *(claimed.message.queue_id, index, State.ACTIVE, None, None, 0, 0, ""), claimed.lease, owner, None
    )


def _alike(results: Sequence[Result]) -> list[tuple[Result, list[int]]]:
    """Group results that say the same, so that one event covers them."""
    groups: dict[tuple[Any, ...], tuple[Result, list[int]]] = {}
    for r in results:
        said = (r.state, r.reason, r.reply, r.enhanced, r.next_hop, r.retry_at, r.tls, r.attempted)
        groups.setdefault(said, (r, []))[1].append(r.index)
    return list(groups.values())


def _settle(tx: Tx, rows: list[RecipientRow], facts: Result, at: int) -> None:
    due_at = to_us(facts.retry_at) if facts.state is State.DEFERRED and facts.retry_at else None
    reply = storable(facts.reply)[:REPLY_LIMIT]
    perhaps = facts.reason is Reason.NO_ANSWER
    counted = 0 if facts.attempted else -1  # the lease counted it
    move(tx, rows, facts.state, Arrival(at, due_at=due_at, reply=reply, attempts=counted, perhaps=perhaps))
    detail = {"next_hop": facts.next_hop, "reply": reply, "enhanced": facts.enhanced, "tls": facts.tls}
    if due_at is not None:
        detail["retry_at"] = from_us(due_at).isoformat()
    kept = {name: value for name, value in detail.items() if value}
    kind, queue_id = RESULTS[facts.state], rows[0].queue_id
    tx.event(Event(at, queue_id, kind, facts.reason, recipients=ranges_of(rows), detail=kept))


Living = Callable[[Tx], Collection[str]]


def recover(now: int, leases: Leases, exclusive: bool, living: Living | None = None) -> Callable[[Tx], int]:
    """Give back leases that ran out; whoever holds the state directory's lock also takes back those of dead processes.

    Where several gateways share the store, `living` tells which owners are not dead, whatever the wall clocks say. Nobody can
    tell any more how far the attempt came: its recipients may have the mail.
    """

    def job(tx: Tx) -> int:
        leases.forget_old()
        found = [RecipientRow.of(row) for row in tx.rows(LEASED)]
        alive = living(tx) if living is not None and found else None
        rows = [row for row in found if _is_over(row, leases, exclusive, alive)]
        move(tx, rows, State.DEFERRED, Arrival(now, due_at=now, perhaps=True))
        for queue_id, group in by_message(rows):
            tx.event(Event(now, queue_id, Kind.DEFERRED, Reason.LEASE_LOST, recipients=ranges_of(group)))
            indexes = [row.idx for row in group]
            cancel_taken_back(tx, queue_id, indexes, now)
            hold_deferred(tx, queue_id, indexes, now)
        return len(rows)

    return job


def _is_over(row: RecipientRow, leases: Leases, exclusive: bool, alive: Collection[str] | None) -> bool:
    """Tell whether nobody works under this lease: our own end by the monotonic clock, those of others with their owner's
    life; never by the wall clock, which steps."""
    if row.owner == leases.owner:
        return not leases.lives(row.lease)
    if alive is not None:
        return row.owner not in alive
    return exclusive  # workers of one gateway end together: while one of them asks, the others live, whatever the clock says
