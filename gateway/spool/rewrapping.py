"""Wrap small secrets anew under the current master key: keys of attachments, telephone numbers, codes, agreed keys.

Each table is walked in the order of its primary key, in bounded batches; a row is changed by compare-and-set on the octets
that were read, so a code that changes meanwhile stays what it became.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.statements import LIMIT
from gateway.store.database import Database
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import WRAPPED, bound

BATCH = 500  # rows in one transaction

Place = tuple[Any, ...]  # the values of a row's primary key


class Small:
    """The statements of one table with a wrapped column."""

    def __init__(self, table: sa.Table, column: str) -> None:
        value, key_id = table.c[column], table.c.key_id
        self.name = table.name
        self.names = [each.name for each in table.primary_key.columns]
        place = [table.c[name] for name in self.names]
        there = value.is_not(None)
        self._first = Prepared(select(*place, key_id, value).where(there).order_by(*place).limit(LIMIT))
        behind = sa.tuple_(*place) > sa.tuple_(*[bindparam(f"b_{name}") for name in self.names])
        self._next = Prepared(
            select(*place, key_id, value).where(there, behind).order_by(*place).limit(LIMIT)
        )
        self._used = Prepared(select(key_id, sa.func.count()).where(there).group_by(key_id))
        self.change = Prepared(
            table.update()
            .where(
                *[column == bindparam(f"b_{column.name}") for column in place], value == bindparam("b_was")
            )
            .values({"key_id": bindparam("b_under"), column: bindparam("b_now")})
        )

    def uses(self, queries: Queries) -> Counter[str]:
        """Return how many values each master key wraps."""
        return Counter({row[0]: int(row[1]) for row in queries.rows(self._used)})

    def read(self, queries: Queries, after: Place | None) -> list[tuple[Any, ...]]:
        """Return the next rows: their place, the master key's id and the octets."""
        if after is None:
            return queries.rows(self._first, {"b_limit": BATCH})
        return queries.rows(self._next, self.at(after) | {"b_limit": BATCH})

    def at(self, place: Place) -> dict[str, object]:
        """Return the parameters that name a row."""
        return {f"b_{name}": value for name, value in zip(self.names, place, strict=True)}


SMALL = tuple(Small(table, column) for table, column in WRAPPED)


async def rewrap_small(database: Database, small: Small, master: MasterKey) -> tuple[int, list[str]]:
    """Wrap one table's values under this key; return how many were, and whose could not be. Raises StoreUnavailable."""
    changed, stranded, after = 0, list[str](), None
    while True:
        count, bad, after = await database.committer.run(_batch(small, master, after))
        changed += count
        stranded += bad
        if after is None:
            return changed, stranded


def _batch(
    small: Small, master: MasterKey, after: Place | None
) -> Callable[[Tx], tuple[int, list[str], Place | None]]:
    def job(tx: Tx) -> tuple[int, list[str], Place | None]:
        rows = small.read(tx, after)
        changes, stranded = list[dict[str, object]](), list[str]()
        for *place, key_id, value in rows:
            if key_id == master.key_id:
                continue
            again = _again(master, bound(small.name, *place), key_id, bytes(value))
            if again is None:
                stranded.append(str(place[0]))
            else:
                new = {"b_was": bytes(value), "b_under": master.key_id, "b_now": again}
                changes.append(small.at(tuple(place)) | new)
        if changes:
            tx.under(master.key_id)
        done = tx.many(small.change, changes)
        return done, stranded, tuple(rows[-1][:-2]) if rows else None

    return job


def _again(master: MasterKey, binding: str, key_id: str | None, wrapped: bytes) -> bytes | None:
    holder = master.holding(key_id or "")
    if holder is None:
        return None
    try:
        return master.wrap(holder.unwrap(wrapped, binding), binding)
    except MasterKeyError:
        return None
