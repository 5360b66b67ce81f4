"""The rows of `reminders`: which demands are looked at before their deadline, when next, and until when all is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.demands import Approval
from gateway.spool.attendance import needs_looking_at, next_moment
from gateway.spool.second_look import Look
from gateway.spool.times import from_us, to_us
from gateway.store.inserts import Inserts, Row
from gateway.store.reminder_tables import reminders
from gateway.store.tx import Prepared, Queries, Tx

_R = reminders.c
_DUE = _R.due_at <= bindparam("b_now")
_OF_IT = _R.queue_id == bindparam("b_queue_id")
_ONE = sa.and_(_OF_IT, _R.number == bindparam("b_number"))
NEW_REMINDERS = Inserts(reminders)
_ANY_DUE = Prepared(select(_R.queue_id).where(_DUE).limit(sa.literal_column("1")))
_DUE_MAILS = Prepared(
    select(_R.queue_id)
    .where(_DUE)
    .group_by(_R.queue_id)
    .order_by(sa.func.min(_R.due_at))
    .limit(bindparam("b_limit", type_=sa.Integer))
)
_OF_MAIL = Prepared(select(_R.number, _R.looked_at).where(_OF_IT, _DUE).order_by(_R.number))
_AGAIN = Prepared(
    reminders.update().where(_ONE).values(due_at=bindparam("b_due_at"), looked_at=bindparam("b_looked_at"))
)
_SOON = Prepared(reminders.update().where(_ONE).values(due_at=bindparam("b_due_at")))
_DONE = Prepared(reminders.delete().where(_ONE))
_FORGET = Prepared(reminders.delete().where(_OF_IT))
_ALL_BY = Prepared(
    reminders.update().where(_R.due_at > bindparam("b_since")).values(due_at=bindparam("b_since"))
)


def reminder_rows(queue_id: str, looks: Iterable[Look], at: int) -> list[Row]:
    """Return the rows of a mail that comes: none for nearly every one."""
    return [(queue_id, look.number, _first(look, at), at) for look in looks if _needs(look, at)]


def any_due(now: int) -> Callable[[Queries], bool]:
    """Tell whether something has to be looked at: nearly always nothing has, and no transaction is needed."""
    return lambda queries: queries.row(_ANY_DUE, {"b_now": now}) is not None


def due_mails(queries: Queries, now: int, limit: int) -> list[str]:
    """Return up to `limit` messages of which something is due."""
    return [row[0] for row in queries.rows(_DUE_MAILS, {"b_now": now, "b_limit": limit})]


def due_of(queries: Queries, queue_id: str, now: int) -> list[tuple[int, int]]:
    """Return the numbers of a message's due looks, and until when all is done for each."""
    return [(row[0], row[1]) for row in queries.rows(_OF_MAIL, {"b_queue_id": queue_id, "b_now": now})]


def look_again(tx: Tx, queue_id: str, number: int, due_at: int, now: int) -> None:
    """Keep that everything until now is done, and when to look next."""
    row = {"b_queue_id": queue_id, "b_number": number}
    tx.run(_AGAIN, row | {"b_due_at": due_at, "b_looked_at": now})


def look_soon(tx: Tx, queue_id: str, number: int, now: int) -> None:
    """Let a look be looked at in the next round: others are asked now, and they may be away."""
    tx.run(_SOON, {"b_queue_id": queue_id, "b_number": number, "b_due_at": now})


def look_at_all_by(tx: Tx, since: int) -> None:
    """Let everything be looked at then at the latest: somebody is away from then on."""
    tx.run(_ALL_BY, {"b_since": since})


def done(tx: Tx, queue_id: str, number: int) -> None:
    """Forget a look that nothing waits for any more."""
    tx.run(_DONE, {"b_queue_id": queue_id, "b_number": number})


def forget(tx: Tx, queue_id: str) -> None:
    """Forget all of a message."""
    tx.run(_FORGET, {"b_queue_id": queue_id})


def _needs(look: Look, at: int) -> bool:
    return needs_looking_at(look, from_us(at))


def _first(look: Look, at: int) -> int:
    """Return when to look first: soon where another step may be needed at once, for who is away is not known here."""
    if isinstance(look.demand, Approval) and len(look.demand.steps) > 1:
        return at
    return to_us(next_moment(look, (), from_us(at), from_us(at)))
