"""Wrap every message's key, and the store's own, under the current master key, in bounded batches while the service works.

Bodies are not touched: only the 60 octets that wrap their key. Keys of attachments, numbers and codes (store/wrapping.py) are
wrapped anew themselves (spool/rewrapping.py). A row is changed by compare-and-set on the key id it was read
with, so the jobs can stop anywhere and be run again, also by two at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.rewrapping import SMALL, rewrap_small
from gateway.spool.sql import SqlSpool
from gateway.spool.statements import LIMIT
from gateway.store.chains import reseal
from gateway.store.database import event_seal
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.pseudonyms import SECRET_KEYS
from gateway.store.pseudonyms import rewrap as rewrap_secret
from gateway.store.schema import bodies, master_keys
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

BATCH = 500  # rows in one transaction: well under a tenth of a second for whoever waits behind it


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over all that is wrapped: how much was wrapped anew, and of which mails, or agreed keys, something could not be
    (its master key is not held, or it is damaged)."""

    changed: int
    stranded: tuple[str, ...]


async def rewrap_all(spool: SqlSpool, master: MasterKey) -> Pass:
    """Wrap what is not under the current key; raises StoreUnavailable, and then goes on where it stopped when run again."""
    stranded, after = list[str](), ""
    changed = await spool.database.committer.run(rewrap_secret(master))
    for small in SMALL:
        more, bad = await rewrap_small(spool.database, small, master)
        changed, stranded = changed + more, [*stranded, *bad]
    while True:
        count, bad, last = await spool.database.committer.run(_batch(master, after))
        changed += count
        stranded += bad
        if last is None:
            return Pass(changed, tuple(dict.fromkeys(stranded)))
        after = last


async def uses(spool: SqlSpool) -> dict[str, int]:
    """Return how many keys of messages, and of the store itself, each master key wraps, by key id."""
    return await spool.database.readers.run(_uses)


async def since(spool: SqlSpool) -> dict[str, int]:
    """Return when each master key of this store came into use (microseconds), by key id."""
    return {row[0]: row[1] for row in await spool.database.readers.run(lambda q: q.rows(_SINCE))}


async def reseal_all(spool: SqlSpool, master: MasterKey) -> None:
    """Seal the head of every chain, also of gateways that are gone, and the list of chains under the current key."""
    seal = event_seal(master)
    await spool.database.committer.run(lambda tx: reseal(tx.connection, seal))


async def forget(spool: SqlSpool, key_id: str) -> None:
    """Take a key off the list of those that the store was written under; raises ValueError while a message needs it."""

    def job(tx: Tx) -> None:
        if key_id in _uses(tx):
            raise ValueError(f"messages still need master key {key_id}")
        tx.run(_FORGET, {"b_key_id": key_id})

    await spool.database.committer.run(job)


def _batch(master: MasterKey, after: str) -> Callable[[Tx], tuple[int, list[str], str | None]]:
    def job(tx: Tx) -> tuple[int, list[str], str | None]:
        rows = _read(tx, after)
        changes, stranded = list[dict[str, object]](), list[str]()
        for queue_id, key_id, wrapped in rows:
            if key_id == master.key_id:
                continue
            again = _again(master, queue_id, key_id, bytes(wrapped))
            if again is None:
                stranded.append(queue_id)
            else:
                changes.append(
                    {"b_queue_id": queue_id, "b_was": key_id, "b_key_id": master.key_id, "b_key": again}
                )
        tx.many(_CHANGE, changes)
        return len(changes), stranded, rows[-1][0] if rows else None

    return job


def _uses(queries: Queries) -> dict[str, int]:
    used = Counter({row[0]: int(row[1]) for row in queries.rows(_USES)})
    for small in SMALL:
        used += small.uses(queries)
    return dict(used + Counter(row[0] for row in queries.rows(SECRET_KEYS)))


def _read(queries: Queries, after: str) -> list[tuple[str, str, bytes]]:
    return queries.rows(_NEXT, {"b_after": after, "b_limit": BATCH})


def _again(master: MasterKey, queue_id: str, key_id: str, wrapped: bytes) -> bytes | None:
    holder = master.holding(key_id)
    if holder is None:
        return None
    try:
        return master.wrap(holder.unwrap(wrapped, queue_id), queue_id)
    except MasterKeyError:
        return None


_B = bodies.c
_NEXT = Prepared(
    select(_B.queue_id, _B.key_id, _B.wrapped_key)
    .where(_B.queue_id > bindparam("b_after"), _B.wrapped_key.is_not(None))
    .order_by(_B.queue_id)
    .limit(LIMIT)
)
_CHANGE = Prepared(
    bodies.update()
    .where(
        _B.queue_id == bindparam("b_queue_id"), _B.key_id == bindparam("b_was"), _B.wrapped_key.is_not(None)
    )
    .values(key_id=bindparam("b_key_id"), wrapped_key=bindparam("b_key"))
)
_USES = Prepared(select(_B.key_id, sa.func.count()).where(_B.wrapped_key.is_not(None)).group_by(_B.key_id))
_SINCE = Prepared(select(master_keys.c.key_id, master_keys.c.since))
_FORGET = Prepared(master_keys.delete().where(master_keys.c.key_id == bindparam("b_key_id")))
