"""A clock that steps backwards must not lose a due mail.

Due times are wall-clock times on disk. When the clock ran ahead and was put right, what changed last in that future is due
there too, perhaps years away. Such a recipient waits as long as it was meant to, counted from now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.lifecycle import State
from gateway.spool.second_look import SOMEBODY
from gateway.spool.times import span_us, to_us
from gateway.store.attachment_tables import key_sendings
from gateway.store.schema import HELD, MOVING, events, recipients, second_looks
from gateway.store.tx import Prepared, Tx

TOLERANCE = timedelta(seconds=30)  # smaller steps are what time synchronisation does; a mail waits them out

_R = recipients.c


class StepWatch:
    """Notices when the times that callers pass step backwards."""

    def __init__(self) -> None:
        self._latest: datetime | None = None
        self._began = False

    def begins(self) -> bool:
        """Tell once whether nobody has looked yet: the clock may have stepped while nobody ran."""
        began, self._began = self._began, True
        return not began

    def stepped_back(self, now: datetime) -> bool:
        """Tell whether `now` lies well before an earlier one; begin anew from there."""
        latest, self._latest = self._latest, now
        if latest is None or now >= latest:
            return False
        if latest - now > TOLERANCE:
            return True
        self._latest = latest
        return False


def bring_back(now: datetime) -> Callable[[Tx], int]:
    """Move due times that were set in the future to the same distance from now; return how many recipients."""
    at, latest = to_us(now), to_us(now) + span_us(TOLERANCE)

    def job(tx: Tx) -> int:
        newest = tx.row(_NEWEST_EVENT)
        if newest is None or newest[0] <= latest:  # every change has an event: nothing can lie further ahead
            return 0
        found = [row for query in _AHEAD for row in tx.rows(query, {"b_latest": latest})]
        tx.many(_BRING_BACK, [_nearer(row, at) for row in found])
        for queue_id in {row[0] for row in found}:
            tx.unlist(queue_id, at)
        tx.run(_BRING_DEADLINES_BACK, {"b_latest": latest, "b_at": at})
        tx.run(_BRING_KEYS_BACK, {"b_latest": latest, "b_at": at})
        return len(found)

    return job


def _nearer(row: tuple[str, int, str, int, int], at: int) -> dict[str, object]:
    queue_id, index, state, due_at, changed_at = row
    waits = max(0, due_at - changed_at) if state != State.QUEUED else 0
    return {"b_queue_id": queue_id, "b_idx": index, "b_due_at": at + waits, "b_at": at}


def _ahead(where: str) -> Prepared:
    columns = (_R.queue_id, _R.idx, _R.state, _R.due_at, _R.changed_at)
    latest = bindparam("b_latest", type_=sa.BigInteger)
    ahead = _R.due_at > latest, _R.due_at < to_us(SOMEBODY), _R.changed_at > latest
    return Prepared(select(*columns).where(sa.text(where), *ahead))


_L = second_looks.c
_AT = bindparam("b_at", type_=sa.BigInteger)
_BRING_DEADLINES_BACK = Prepared(
    second_looks.update()
    .where(_L.due_at.is_not(None), _L.set_at > bindparam("b_latest", type_=sa.BigInteger))
    .values(due_at=_AT + _L.due_at - _L.set_at, set_at=_AT)
)
_K = key_sendings.c
_BRING_KEYS_BACK = Prepared(
    key_sendings.update()
    .where(_K.due_at.is_not(None), _K.changed_at > bindparam("b_latest", type_=sa.BigInteger))
    .values(due_at=_AT + _K.due_at - _K.changed_at, changed_at=_AT)
)
_NEWEST_EVENT = Prepared(select(events.c.at).order_by(events.c.at.desc()).limit(sa.literal_column("1")))
_AHEAD = (_ahead(HELD), _ahead(MOVING))
_BRING_BACK = Prepared(
    recipients.update()
    .where(_R.queue_id == bindparam("b_queue_id"), _R.idx == bindparam("b_idx"))
    .values(
        due_at=bindparam("b_due_at"),
        changed_at=bindparam("b_at"),
        queued_at=sa.case((_R.queued_at.is_not(None), bindparam("b_at", type_=sa.BigInteger))),
    )
)
