"""The rows of `second_looks` that are no demand: that a mail is frozen, and until when windows run that were made longer.

They stand there because whoever changes a mail's looks locks all of them, and because whoever passes deadlines finds a freeze
by its due time. A gateway of the version before reads past them. A row that nobody can read freezes without a rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.halt_contract import Freeze
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.spool.times import from_us, to_us
from gateway.store.schema import second_looks
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

STAYS, FREEZE = -2, -3  # numbers of rows; -1 is the waiver's, and demands count from 0

_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
_L = second_looks.c
_IT = (_L.queue_id == bindparam("b_queue_id"), _L.number == bindparam("b_number"))
_READ = Prepared(select(_L.set_at, _L.due_at, _L.given).where(*_IT))
_DELETE = Prepared(second_looks.delete().where(*_IT))
_PUT = Prepared(
    sa.text(
        "INSERT INTO second_looks (queue_id, number, step, due_at, set_at, given)"
        " VALUES (:b_queue_id, :b_number, 0, :b_due_at, :b_set_at, :b_given)"
        " ON CONFLICT (queue_id, number) DO UPDATE"
        " SET due_at = excluded.due_at, set_at = excluded.set_at, given = excluded.given"
    )
)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A freeze as its row says it: `rest` is what was left of each recipient's time, in microseconds."""

    freeze: Freeze
    rest: dict[int, int] = field(default_factory=dict)


def read_freeze(queries: Queries, queue_id: str) -> Frozen | None:
    """Return the freeze of a mail; None where there is none."""
    row = queries.row(_READ, {"b_queue_id": queue_id, "b_number": FREEZE})
    return None if row is None else _freeze(row[0], row[1], row[2])


def write_freeze(tx: Tx, queue_id: str, frozen: Frozen) -> None:
    """Keep a freeze."""
    made = frozen.freeze
    given = {
        "by": [made.kind, made.name],
        "because": made.because,
        "rest": [[to_ranges(indexes), rest] for rest, indexes in _by_value(frozen.rest).items()],
    }
    _put(tx, queue_id, FREEZE, to_us(made.until), to_us(made.at), given)


def delete_freeze(tx: Tx, queue_id: str) -> None:
    """Forget the freeze of a mail; the event log has it."""
    tx.run(_DELETE, {"b_queue_id": queue_id, "b_number": FREEZE})


def write_stays(tx: Tx, queue_id: str, ends: Mapping[int, datetime], at: int) -> None:
    """Keep until when the windows of recipients run who wait for people, and were made to wait longer."""
    by_end = _by_value({index: to_us(end) for index, end in ends.items()})
    given = {"ends": [[to_ranges(indexes), end] for end, indexes in by_end.items()]}
    _put(tx, queue_id, STAYS, None, at, given)


def stays_from(given: str) -> dict[int, datetime]:
    """Return those ends; none where nobody can read them: what is asked of people holds the mail all the same."""
    try:
        ends = orjson.loads(given)["ends"]
        return {index: from_us(end) for ranges, end in ends for index in from_ranges(ranges)}
    except _UNREADABLE:
        return {}


def _put(
    tx: Tx, queue_id: str, number: int, due_at: int | None, set_at: int, given: Mapping[str, object]
) -> None:
    text = orjson.dumps(given).decode()
    values = {"b_number": number, "b_due_at": due_at, "b_set_at": set_at, "b_given": text}
    tx.run(_PUT, {"b_queue_id": queue_id, **values})
    tx.unlist(queue_id, set_at)


def _freeze(set_at: int, due_at: int, given: str) -> Frozen:
    try:
        data: dict[str, Any] = orjson.loads(given)
        kind, name = data["by"]
        rest = {index: left for ranges, left in data["rest"] for index in from_ranges(ranges)}
        return Frozen(Freeze(from_us(set_at), from_us(due_at), kind, name, data["because"]), rest)
    except _UNREADABLE:
        return Frozen(Freeze(from_us(set_at), from_us(due_at), "", ""))


def _by_value(values: Mapping[int, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for index, value in values.items():
        found.setdefault(value, []).append(index)
    return found
