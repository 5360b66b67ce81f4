"""How much each sender handed in, in slices of five minutes: counted in the transaction that accepts a mail.

Each chain's writers count for themselves, and what they add up to is told: no gateway waits for another's row. A row is of no
use to anybody after a day, and goes then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.message.evidence import Volume
from gateway.spool.knowledge import SLICE
from gateway.spool.times import span_us
from gateway.store.events import storable
from gateway.store.knowledge_tables import sendings
from gateway.store.tx import Prepared, Queries, Tx

_SLICES_HOUR = timedelta(hours=1) // SLICE
_SLICES_DAY = timedelta(days=1) // SLICE


def slice_of(at: int) -> int:
    """Return the number of the slice that a moment (microseconds) lies in."""
    return at // span_us(SLICE)


def volume(counted_as: str, at: int) -> Callable[[Queries], Volume]:
    """Return what was counted up to now: the slice under way, and those of the hour or the day before it."""
    now = slice_of(at)
    wanted = {
        "b_sender": storable(counted_as),
        "b_hour": now - _SLICES_HOUR,
        "b_day": now - _SLICES_DAY,
    }

    def read(queries: Queries) -> Volume:
        row = queries.row(_VOLUME, wanted)
        mails_hour, mails_day, recipients_hour, recipients_day = (int(number or 0) for number in row)
        return Volume(mails_hour, mails_day, recipients_hour, recipients_day)

    return read


def forget(at: int, limit: int) -> Callable[[Tx], int]:
    """Delete slices that nobody asks for any more."""
    oldest = slice_of(at) - _SLICES_DAY
    return lambda tx: tx.run(_FORGET, {"b_oldest": oldest, "b_limit": limit})


_S = sendings.c
_IN_HOUR = _S.slice >= bindparam("b_hour", type_=sa.BigInteger)
_VOLUME = Prepared(
    sa.select(
        sa.func.sum(sa.case((_IN_HOUR, _S.mails), else_=sa.literal_column("0"))),
        sa.func.sum(_S.mails),
        sa.func.sum(sa.case((_IN_HOUR, _S.recipients), else_=sa.literal_column("0"))),
        sa.func.sum(_S.recipients),
    ).where(_S.sender == bindparam("b_sender"), _S.slice >= bindparam("b_day", type_=sa.BigInteger))
)
_FORGET = Prepared(
    sa.text(
        "DELETE FROM sendings WHERE (sender, slice, node) IN"
        " (SELECT sender, slice, node FROM sendings WHERE slice < :b_oldest ORDER BY slice LIMIT :b_limit)"
    )
)
