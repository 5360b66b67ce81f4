"""What a sender does to shares, and what time does: lock, unlock, extend, end. Jobs of a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.policy.decision import Decision
from gateway.spool.holds import recipients_of
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.mail_json import parsed
from gateway.spool.ranges import to_ranges
from gateway.spool.shares_rows import ShareRow, end, lock_rows, over_rows, write
from gateway.spool.shares_standing import longest
from gateway.spool.statements import RELEASE_FACTS
from gateway.spool.times import from_us
from gateway.spool.values import Actor, Change
from gateway.store.attachment_tables import message_keys, shares
from gateway.store.events import Event
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

Changing = Callable[[ShareRow], ShareRow | None]
"""Gives the row as it is to be, None where there is nothing to change."""


_REASONS = {"admin": Reason.BY_ADMIN, "colleague": Reason.BY_COLLEAGUE, "ordering-body": Reason.BY_ORDERING}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose shares somebody wants changed; None means all of the mail."""

    queue_id: str
    recipients: Collection[int] | None
    actor: Actor
    now: int

    @property
    def reason(self) -> Reason:
        return _REASONS.get(self.actor.kind, Reason.BY_SENDER)

    def among(self, rows: Collection[ShareRow], decision: Decision) -> list[ShareRow]:
        """Return the shares that are meant; no act of a sender reaches a copy that a rule asked for (`bcc_to`)."""
        chosen = [row for row in rows if self.recipients is None or row.recipient in self.recipients]
        if self.actor.kind == "admin":
            return chosen
        return [row for row in chosen if not decision.is_copy(row.recipient)]

    def event(self, kind: Kind, recipients: Collection[int], **detail: object) -> Event:
        """Return the event of what was done."""
        actor = self.actor
        ranges = to_ranges(recipients)
        return Event(self.now, self.queue_id, kind, self.reason, actor.kind, actor.name, ranges, detail)


def lock(asked: Asked) -> Callable[[Tx], Change | None]:
    """Close shares; the job gives None for an unknown message."""

    def changing(row: ShareRow) -> ShareRow | None:
        if row.locked_at is not None:
            return None
        return row._replace(locked_at=asked.now, key_id=None, wrapped_code=None)

    return lambda tx: _change(tx, asked, Kind.SHARE_LOCKED, changing)


def unlock(asked: Asked) -> Callable[[Tx], Change | None]:
    """Open what was locked, and begin to count anew: codes and tries that a stranger used up are the recipient's again."""

    def changing(row: ShareRow) -> ShareRow | None:
        if row.locked_at is None:
            return None
        return row._replace(locked_at=None, attempts=0, tried_at=None, codes_asked=0, code_at=None)

    return lambda tx: _change(tx, asked, Kind.SHARE_UNLOCKED, changing)


def extend(asked: Asked, until: int) -> Callable[[Tx], Change | None]:
    """Let shares live longer, and the keys that they ask for with them."""

    def job(tx: Tx) -> Change | None:
        facts = tx.row(RELEASE_FACTS, {"b_queue_id": asked.queue_id})
        if facts is None:
            return None
        decision = parsed(facts[1], facts[2])[1]
        tx.rows(_LOCK_KEYS, {"b_queue_id": asked.queue_id})  # before the shares, as whoever cancels does

        def changing(row: ShareRow) -> ShareRow | None:
            end_at = min(until, longest(row, decision, facts[0], asked.now))
            return row._replace(expires_at=end_at) if end_at > row.expires_at else None

        told = from_us(until).isoformat()
        change = _change(tx, asked, Kind.SHARE_EXTENDED, changing, until=told)
        _keep_keys(tx, asked, decision, change.done if change is not None else ())
        return change

    return job


def end_expired(now: int, limit: int) -> Callable[[Tx], int]:
    """End shares whose time is over."""

    def job(tx: Tx) -> int:
        by_message: dict[str, list[int]] = {}
        for row in end(tx, over_rows(tx, now, limit), now):
            by_message.setdefault(row.queue_id, []).append(row.recipient)
        for queue_id, indexes in by_message.items():
            recipients = to_ranges(indexes)
            tx.event(Event(now, queue_id, Kind.SHARE_ENDED, Reason.RETENTION, recipients=recipients))
        return sum(map(len, by_message.values()))

    return job


def lock_restored(made_at: str, actor: Actor, now: int, limit: int) -> Callable[[Tx], int]:
    """Lock open shares after a restore: what was taken back since the backup would be open again. Return how many."""

    def job(tx: Tx) -> int:
        rows = [ShareRow(*row) for row in tx.rows(_UNLOCKED, {"b_limit": limit})]
        by_message: dict[str, list[int]] = {}
        for row in rows:
            write(tx, row._replace(locked_at=now, key_id=None, wrapped_code=None, changed_at=now))
            by_message.setdefault(row.queue_id, []).append(row.recipient)
        for queue_id, indexes in by_message.items():
            said = (Kind.SHARE_LOCKED, Reason.RESTORED, actor.kind, actor.name, to_ranges(indexes))
            tx.event(Event(now, queue_id, *said, {"backup": made_at}))
        return len(rows)

    return job


def any_expired(now: int) -> Callable[[Queries], bool]:
    """Tell whether `end_expired` may find any: most looks find none, and need no turn of the committer."""
    return lambda queries: queries.row(_ANY_OVER, {"b_now": now}) is not None


def _change(tx: Tx, asked: Asked, kind: Kind, changing: Changing, **detail: object) -> Change | None:
    facts = tx.row(RELEASE_FACTS, {"b_queue_id": asked.queue_id})
    if facts is None:
        return None
    rows = asked.among(lock_rows(tx, asked.queue_id), parsed(facts[1], facts[2])[1])
    done = []
    for row in rows:
        changed = changing(row) if row.ended_at is None and row.expires_at > asked.now else None
        if changed is not None:
            write(tx, changed._replace(changed_at=asked.now))
            done.append(row.recipient)
    if done:
        tx.event(asked.event(kind, done, **detail))
    return Change(tuple(done), _others(tx, asked, rows, done))


def _others(
    tx: Tx, asked: Asked, rows: Collection[ShareRow], done: Collection[int]
) -> tuple[tuple[int, State], ...]:
    left = {row.recipient for row in rows} - {*done}
    if not left:
        return ()
    return tuple([(row.idx, row.state) for row in recipients_of(tx, asked.queue_id) if row.idx in left])


def _keep_keys(tx: Tx, asked: Asked, decision: Decision, recipients: Collection[int]) -> None:
    """Let the keys live as long as the shares that ask for them: a key of the mail has number 0, recipient n's n + 1."""
    for row in lock_rows(tx, asked.queue_id):
        handling = decision.of(row.recipient).handling
        if row.recipient in recipients and handling is not None and handling.needs_key:
            number = row.recipient + 1 if handling.own_key else 0
            until = {"b_queue_id": asked.queue_id, "b_number": number, "b_until": row.expires_at}
            tx.run(_KEEP_KEY, until)


_UNLOCKED = Prepared(
    sa.select(shares)
    .where(sa.text("ended_at IS NULL"), shares.c.locked_at.is_(None))
    .order_by(shares.c.expires_at)
    .limit(bindparam("b_limit", type_=sa.Integer))
)
_ANY_OVER = Prepared(
    sa.select(shares.c.recipient)
    .where(sa.text("ended_at IS NULL"), shares.c.expires_at <= bindparam("b_now"))
    .limit(sa.literal_column("1"))
)
_K = message_keys.c
_LOCK_KEYS = Prepared(sa.select(_K.number).where(_K.queue_id == bindparam("b_queue_id")).with_for_update())
_KEEP_KEY = Prepared(
    message_keys.update()
    .where(
        _K.queue_id == bindparam("b_queue_id"),
        _K.number == bindparam("b_number"),
        _K.expires_at < bindparam("b_until"),
    )
    .values(expires_at=bindparam("b_until", type_=sa.BigInteger))
)
