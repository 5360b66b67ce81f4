"""A message opened for a change of what people gave: its facts, its recipients and its looks, locked in this transaction.

`settle` lets go what waits for nobody any more: the one place that ends such a hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.handling import Missing
from gateway.spool import look_rows
from gateway.spool.holds import Wish, doubt, recipients_of, tell_sender
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.look_rows import Looks
from gateway.spool.mail_json import parsed
from gateway.spool.moves import Arrival, move, stay
from gateway.spool.notice import NoticeKind
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import SOMEBODY, Look, unmet
from gateway.spool.statements import RELEASE_FACTS
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor
from gateway.store.tx import Tx
from gateway.values import dataclass

_SOMEBODY = to_us(SOMEBODY)


@dataclass(frozen=True, slots=True)
class Opened:
    """One message, as it is inside the transaction that locked it."""

    queue_id: str
    received_at: datetime
    envelope: Envelope
    decision: Decision
    looks: Looks
    rows: tuple[RecipientRow, ...]

    def held(self, look: Look) -> list[RecipientRow]:
        """Return the recipients that this demand, perhaps among others, holds now."""
        return [
            row
            for row in self.rows
            if row.idx in look.recipients and row.state is State.HELD and not look.met_for(row.idx)
        ]

    def shown(self, rows: Sequence[RecipientRow]) -> list[int]:
        """Return the indexes of those whom the sender knows of."""
        return [row.idx for row in rows if not self.decision.is_copy(row.idx)]

    def ended_by(self, look: Look) -> list[RecipientRow]:
        """Return whom the end of this demand cancels: copies (`bcc_to`) only with the last of the others."""
        held = [row for row in self.held(look) if not self._goes_along(look, row.idx)]
        gone = {row.idx for row in held} | {row.idx for row in self.rows if row.state is State.CANCELLED}
        if any(row.idx not in gone and not self.decision.is_copy(row.idx) for row in self.rows):
            return held
        return held + [row for row in self.rows if self.decision.is_copy(row.idx) and row.state is State.HELD]

    def _goes_along(self, look: Look, index: int) -> bool:
        """Tell whether this is a copy that lacks nothing itself; one that cannot be protected leaves no more than others."""
        return index in look.along if isinstance(look.demand, Missing) else self.decision.is_copy(index)

    def window_ends(self, index: int, now: datetime) -> datetime:
        """Return when the window of a recipient is over, as somebody may have shortened it, or made it longer since.

        A mail from the future came when the clock ran ahead: its window is as long as it was meant to be, from now.
        """
        if index in self.looks.stays:
            return self.looks.stays[index]
        waiver = self.looks.waiver
        if waiver is not None and index in waiver.ends:
            return waiver.ends[index]
        return min(self.received_at, now) + self.decision.of(index).demands.window


class RecordUnreadable(Exception):
    """The stored envelope or decision cannot be read: nobody can tell what the mail waits for."""


def open_mail(tx: Tx, queue_id: str) -> Opened | None:
    """Lock a message's looks and read it; None where there is none. Raises RecordUnreadable."""
    facts = tx.row(RELEASE_FACTS, {"b_queue_id": queue_id})
    if facts is None:
        return None
    received_at = from_us(facts[0])
    try:
        envelope, decision = parsed(facts[1], facts[2])
    except Exception as error:  # whatever a row holds
        raise RecordUnreadable(f"{queue_id}: {type(error).__name__}") from error
    looks = look_rows.lock(tx, queue_id, decision, received_at)
    return Opened(queue_id, received_at, envelope, decision, looks, tuple(recipients_of(tx, queue_id)))


def write_look(tx: Tx, opened: Opened, look: Look, at: int) -> Opened:
    """Write one look, and return the message with it."""
    look_rows.write(tx, opened.queue_id, opened.looks, look, at)
    looks = tuple([look if each.number == look.number else each for each in opened.looks.looks])
    known = opened.looks.known | {look.number}
    changed = replace(opened.looks, looks=looks, known=known)
    return Opened(opened.queue_id, opened.received_at, opened.envelope, opened.decision, changed, opened.rows)


def settle(tx: Tx, opened: Opened, actor: Actor, reason: Reason, now: int) -> list[RecipientRow]:
    """Queue who has everything, or let their windows run on; return whom nobody is waited for any more."""
    waiting = [row for row in opened.rows if row.state is State.HELD and row.due_at == _SOMEBODY]
    free = [row for row in waiting if not unmet(opened.looks.looks, row.idx)]
    at = from_us(now)
    ends = {row.idx: to_us(opened.window_ends(row.idx, at)) for row in free}
    going = [row for row in free if ends[row.idx] <= now]
    if going:
        move(tx, going, State.QUEUED, Arrival(now, due_at=now, queued_at=now))
        tx.event(Wish(opened.queue_id, None, actor, reason, now).event(Kind.RELEASED, going))
    staying = sorted((row for row in free if ends[row.idx] > now), key=lambda row: ends[row.idx])
    stay(tx, [(row, ends[row.idx]) for row in staying], now)
    return free


def cancel_rows(
    tx: Tx,
    opened: Opened,
    rows: Sequence[RecipientRow],
    wish: Wish,
    told: NoticeKind,
    detail: Mapping[str, object],
    because: str = "",
) -> None:
    """Cancel held recipients for good, and tell the sender of it, and `because` of what where no person did it."""
    if not rows:
        return
    move(tx, rows, State.CANCELLED, Arrival(wish.now))
    tx.event(wish.event(Kind.CANCELLED, rows, **detail, **doubt(rows)))
    stop_keys(tx, wish.queue_id, [row.idx for row in rows], wish.reason, wish.actor, wish.now)
    if shown := opened.shown(rows):
        tell_sender(tx, told, opened.queue_id, shown, wish.now, wish.actor.name or because)


def without(rows: Collection[RecipientRow], gone: Collection[RecipientRow]) -> tuple[RecipientRow, ...]:
    """Return the rows that were not among those."""
    indexes = {row.idx for row in gone}
    return tuple([row for row in rows if row.idx not in indexes])
