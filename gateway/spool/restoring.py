"""Jobs after a restore: whatever was open when the backup was made may have left since, so nothing of it leaves by itself.

Every open recipient is held until far away and marked `perhaps`; an admin releases or cancels it. Notices that announce a hold
are dropped, because what they announce is no longer so. Each message changed says so in an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.freeze_rows import delete_freeze
from gateway.spool.holds import Wish, by_message
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.moves import Arrival, move
from gateway.spool.notice import NoticeKind
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import FROZEN, SOMEBODY
from gateway.spool.statements import LIMIT
from gateway.spool.times import span_us, to_us
from gateway.spool.values import Actor
from gateway.store.schema import HELD, MOVING, outbox, recipients
from gateway.store.tx import Prepared, Tx
from gateway.values import dataclass

FAR = timedelta(days=36_500)  # a hundred years: nobody's window, and a time that every calendar can show
_NEAR = timedelta(days=18_250)  # what is due later than this is held by a restore already
WORDS = "restored from a backup of {made_at}: may have left since; release or cancel it"

_R = recipients.c
_COLUMNS = tuple(_R[name] for name in RecipientRow._fields)


@dataclass(frozen=True, slots=True)
class Restored:
    """Which backup it was, who restored it, and when (microseconds)."""

    made_at: str
    actor: Actor
    now: int
    words: str = WORDS


def hold_open(restored: Restored, limit: int) -> Callable[[Tx], int]:
    """Hold up to `limit` open recipients; return how many, 0 when all are. Leases must have been given back before."""

    def job(tx: Tx) -> int:
        near = restored.now + span_us(_NEAR)
        bound = {"b_near": near, "b_somebody": to_us(SOMEBODY), "b_frozen": to_us(FROZEN), "b_limit": limit}
        held = [RecipientRow.of(row) for row in tx.rows(_HELD, bound)]
        moving = [RecipientRow.of(row) for row in tx.rows(_MOVING, {"b_limit": limit - len(held)})]
        words = restored.words.format(made_at=restored.made_at)
        far = restored.now + span_us(FAR)
        move(tx, moving, State.HELD, Arrival(restored.now, due_at=far, reply=words, perhaps=True))
        tx.many(_STAY, [_staying(row, far, words) for row in held])
        for row in held:
            tx.unlist(row.queue_id, restored.now)
        for queue_id, _ in by_message([*held, *moving]):
            delete_freeze(tx, queue_id)  # it holds nothing any more, and must not hold what an admin lets go
        _tell(tx, restored, [*held, *moving])
        return len(held) + len(moving)

    return job


def drop_hold_notices(tx: Tx) -> int:
    """Forget the notices that would announce the end of a hold as it was before the restore."""
    return tx.run(_DROP, {"b_kind": NoticeKind.HOLD.value})


def _tell(tx: Tx, restored: Restored, rows: Sequence[RecipientRow]) -> None:
    for queue_id, group in by_message(rows):
        wish = Wish(queue_id, None, restored.actor, Reason.RESTORED, restored.now)
        tx.event(wish.event(Kind.RESTORED, group, backup=restored.made_at))


def _staying(row: RecipientRow, far: int, words: str) -> dict[str, object]:
    return {"b_queue_id": row.queue_id, "b_idx": row.idx, "b_due_at": far, "b_reply": words}


_HELD = Prepared(
    select(*_COLUMNS)
    .where(
        sa.text(HELD),
        sa.or_(
            _R.due_at < bindparam("b_near"), _R.due_at.in_([bindparam("b_somebody"), bindparam("b_frozen")])
        ),
    )
    .order_by(_R.due_at)
    .limit(LIMIT)
)
_MOVING = Prepared(select(*_COLUMNS).where(sa.text(MOVING)).order_by(_R.due_at).limit(LIMIT))
_STAY = Prepared(
    recipients.update()
    .where(_R.queue_id == bindparam("b_queue_id"), _R.idx == bindparam("b_idx"), sa.text(HELD))
    .values(due_at=bindparam("b_due_at"), reply=bindparam("b_reply"), perhaps=1)
)
_DROP = Prepared(outbox.delete().where(outbox.c.kind == bindparam("b_kind")))
