"""Stop what has not left for outside, by somebody inside who got their copy: one job, with its event and the sender's notice.

Like every cancellation it is for good, and says the truth about what it came too late for.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.policy.colleagues import colleagues_of
from gateway.spool.holds import Wish, change_of, doubt, tell_sender
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import CANCELLABLE, Kind, Reason, State
from gateway.spool.moves import Arrival, move
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, open_mail
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import COMMENT
from gateway.spool.values import Actor, Change
from gateway.store.events import storable
from gateway.store.tx import Tx

COLLEAGUE = "colleague"  # the kind of actor


def stop(queue_id: str, recipient: int, because: str, now: int) -> Callable[[Tx], Change | None]:
    """Cancel everybody outside who can still be. The job gives None for an unknown message, or for who may not do that."""

    def job(tx: Tx) -> Change | None:
        opened = open_mail(tx, queue_id)
        if opened is None or recipient not in colleagues_of(opened.decision, opened.envelope):
            return None
        outside = _outside(opened)
        going = _with_copies(opened, [row for row in outside if row.state in CANCELLABLE])
        if going:
            who = str(opened.envelope.recipients[recipient])
            wish = Wish(queue_id, None, Actor(COLLEAGUE, who), Reason.BY_COLLEAGUE, now)
            _cancel(tx, opened, going, wish, storable(because)[:COMMENT])
        stopped = [row for row in going if not opened.decision.is_copy(row.idx)]
        return change_of(stopped, outside)

    return job


def _outside(opened: Opened) -> list[RecipientRow]:
    """Return the rows of everybody outside who was to get the mail, without copies that nobody knows of."""
    decision = opened.decision
    return [
        row
        for row in opened.rows
        if decision.of(row.idx).external
        and not decision.is_copy(row.idx)
        and not decision.of(row.idx).demands.drop
    ]


def _with_copies(opened: Opened, going: list[RecipientRow]) -> list[RecipientRow]:
    """Add the copies (`bcc_to`) that are left where nobody of the others gets the mail any more."""
    gone = {row.idx for row in going} | {row.idx for row in opened.rows if row.state is State.CANCELLED}
    copies = [row for row in opened.rows if opened.decision.is_copy(row.idx)]
    if not going or any(row.idx not in gone and row not in copies for row in opened.rows):
        return going
    return [*going, *(row for row in copies if row.state in CANCELLABLE)]


def _cancel(tx: Tx, opened: Opened, going: list[RecipientRow], wish: Wish, because: str) -> None:
    move(tx, going, State.CANCELLED, Arrival(wish.now))
    tx.event(wish.event(Kind.CANCELLED, going, because=because, **doubt(going)))
    stop_keys(tx, wish.queue_id, [row.idx for row in going], wish.reason, wish.actor, wish.now)
    told = f"{wish.actor.name}\n{because}"
    tell_sender(tx, NoticeKind.STOPPED, opened.queue_id, opened.shown(going), wish.now, told)
