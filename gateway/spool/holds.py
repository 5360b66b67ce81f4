"""Jobs on what waits: cancel and release_due; release is in releasing.py. Each is a function of a transaction; the events go
with the change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from gateway.policy.decision import Decision
from gateway.spool.first_notices import notice_row
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import CANCELLABLE, OF_THE_SENDER, Kind, Reason, State
from gateway.spool.mail_json import parsed
from gateway.spool.moves import Arrival, move
from gateway.spool.notice import NoticeKind
from gateway.spool.ranges import INDEXES, to_ranges
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import COMMENT
from gateway.spool.statements import (
    HELD_DUE,
    NEW_NOTICES,
    NOTICE_FACTS,
    RECIPIENTS,
    RECIPIENTS_BETWEEN,
    RELEASE_FACTS,
)
from gateway.spool.values import SYSTEM, Actor, Change
from gateway.store.events import Event, storable
from gateway.store.tx import Queries, Tx
from gateway.values import dataclass

Job = Callable[[Tx], Change | None]
TOLD_OF = frozenset({"admin", "colleague"})  # kinds of actors of whose acts the sender is told


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of one message's recipients; None means all of them."""

    queue_id: str
    recipients: Collection[int] | None
    actor: Actor
    reason: Reason
    now: int

    def event(self, kind: Kind, rows: Iterable[RecipientRow], **detail: object) -> Event:
        indexes = to_ranges(row.idx for row in rows)
        actor = self.actor
        return Event(self.now, self.queue_id, kind, self.reason, actor.kind, actor.name, indexes, detail)


def cancel(wish: Wish, *, tells: bool = True) -> Job:
    """Cancel by compare-and-set; tell what is already leaving. The job gives None for an unknown message.

    `tells`: the sender hears of it where somebody else did it.
    """

    def job(tx: Tx) -> Change | None:
        rows = wanted(tx, wish)
        if rows is None:
            return None
        if wish.reason in OF_THE_SENDER:
            rows = _with_the_last(tx, wish, rows)
        going = [row for row in rows if row.state in CANCELLABLE]
        if going:
            move(tx, going, State.CANCELLED, Arrival(wish.now))
            tx.event(wish.event(Kind.CANCELLED, going, **doubt(going)))
            stop_keys(tx, wish.queue_id, [row.idx for row in going], wish.reason, wish.actor, wish.now)
            if tells and wish.actor.kind in TOLD_OF:
                _tell_stopped(tx, wish, [row.idx for row in going])
        change = change_of(going, rows)
        return replace(change, perhaps=tuple(row.idx for row in going if row.perhaps))

    return job


def _tell_stopped(tx: Tx, wish: Wish, indexes: list[int]) -> None:
    by_colleague = wish.reason is Reason.BY_COLLEAGUE
    kind = NoticeKind.STOPPED_BY_TEAM if by_colleague else NoticeKind.CANCELLED
    tell_sender(tx, kind, wish.queue_id, indexes, wish.now, wish.actor.name)


def body_opened(wish: Wish, because: str) -> Callable[[Tx], bool | None]:
    """Write why somebody opens a body; None for an unknown message."""

    def job(tx: Tx) -> bool | None:
        if tx.row(NOTICE_FACTS, {"b_queue_id": wish.queue_id}) is None:
            return None
        tx.event(wish.event(Kind.BODY_OPENED, (), because=storable(because)[:COMMENT]))
        return True

    return job


def release_due(now: int, limit: int) -> Callable[[Tx], int]:
    """Queue what is held and due, oldest first."""

    def job(tx: Tx) -> int:
        rows = [RecipientRow.of(row) for row in tx.rows(HELD_DUE, {"b_now": now, "b_limit": limit})]
        return release_rows(rows, now)(tx)

    return job


def release_rows(rows: Sequence[RecipientRow], now: int) -> Callable[[Tx], int]:
    """Queue these held recipients; fails where one was moved since it was read."""

    def job(tx: Tx) -> int:
        move(tx, rows, State.QUEUED, Arrival(now, due_at=now, queued_at=now))
        for queue_id, group in by_message(rows):
            tx.event(Wish(queue_id, None, SYSTEM, Reason.WINDOW_OVER, now).event(Kind.RELEASED, group))
        return len(rows)

    return job


def by_message(rows: Sequence[RecipientRow]) -> list[tuple[str, list[RecipientRow]]]:
    """Group rows by message, messages in the order of their first row."""
    groups: dict[str, list[RecipientRow]] = {}
    for row in rows:
        groups.setdefault(row.queue_id, []).append(row)
    return list(groups.items())


def recipients_of(queries: Queries, queue_id: str) -> list[RecipientRow]:
    """Return all rows of one message in order; none at all means that there is no such message."""
    return [RecipientRow.of(row) for row in queries.rows(RECIPIENTS, {"b_queue_id": queue_id})]


def recipients_among(queries: Queries, queue_id: str, indexes: Collection[int]) -> list[RecipientRow]:
    """Return the rows of these indexes that exist, in order; reads no more of a huge mail than lies between them."""
    chosen = frozenset(index for index in indexes if 0 <= index < INDEXES)
    if not chosen:
        return []
    between = {"b_queue_id": queue_id, "b_first": min(chosen), "b_last": max(chosen)}
    found = (RecipientRow.of(row) for row in queries.rows(RECIPIENTS_BETWEEN, between) if row[1] in chosen)
    return list(found)


def tell_sender(
    tx: Tx, kind: NoticeKind, queue_id: str, recipients: list[int], now: int, actor: str = ""
) -> None:
    """Put a notice to the sender into the outbox, unless there is none to tell or the mail is our own."""
    sender, from_gateway = tx.row(NOTICE_FACTS, {"b_queue_id": queue_id})
    if sender is not None and not from_gateway:
        tx.insert(NEW_NOTICES, [notice_row(kind, queue_id, sender, recipients, now, actor)])


def _with_the_last(tx: Tx, wish: Wish, rows: list[RecipientRow]) -> list[RecipientRow]:
    """Return the rows that a sender cancels: copies (`bcc_to`) go with the last of the others, and never by themselves."""
    decided = _with_copies(tx, wish)
    if decided is None:
        return rows
    every = recipients_of(tx, wish.queue_id)
    meant = [row for row in rows if not decided.is_copy(row.idx)]
    gone = {row.idx for row in meant if row.state in CANCELLABLE}
    others = (row for row in every if not decided.is_copy(row.idx))
    if not gone or any(row.state is not State.CANCELLED and row.idx not in gone for row in others):
        return meant
    return [*meant, *(row for row in every if decided.is_copy(row.idx))]


def _with_copies(tx: Tx, wish: Wish) -> Decision | None:
    """Return the decision where a rule added copies; None for nearly every mail."""
    _, envelope, decision = tx.row(RELEASE_FACTS, {"b_queue_id": wish.queue_id})
    return parsed(envelope, decision)[1] if '"copied"' in decision else None


def doubt(rows: Iterable[RecipientRow]) -> dict[str, object]:
    """Return what the event of a cancellation adds where it may have come too late."""
    perhaps = to_ranges(row.idx for row in rows if row.perhaps)
    return {"may_have_arrived": perhaps} if perhaps else {}


def wanted(tx: Tx, wish: Wish) -> list[RecipientRow] | None:
    """Return the rows that a wish is about; None for an unknown message."""
    if tx.row(NOTICE_FACTS, {"b_queue_id": wish.queue_id}) is None:
        return None
    if wish.recipients is None:
        return recipients_of(tx, wish.queue_id)
    rows = recipients_among(tx, wish.queue_id, wish.recipients)
    decided = _with_copies(tx, wish) if wish.reason in OF_THE_SENDER else None
    return rows if decided is None else [row for row in rows if not decided.is_copy(row.idx)]


def change_of(done: Sequence[RecipientRow], asked: Sequence[RecipientRow]) -> Change:
    """Return the truth about a verb: of those asked for, what was done and what was not."""
    changed = tuple(row.idx for row in done)
    missed = frozenset(row.idx for row in asked) - frozenset(changed)
    return Change(changed, tuple((row.idx, row.state) for row in asked if row.idx in missed))
