"""Verbs for a spool that was just restored; nobody serves from it yet. Bounded transactions, whatever its size."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.key_ending import hold_keys
from gateway.spool.restoring import WORDS, Restored, drop_hold_notices, hold_open
from gateway.spool.shares_life import lock_restored
from gateway.spool.sql import SqlSpool
from gateway.spool.statements import LIMIT
from gateway.spool.times import to_us
from gateway.spool.values import Actor
from gateway.store.bodies import PURGED
from gateway.store.schema import bodies
from gateway.store.tx import Prepared

BATCH = 1_000  # recipients, or bodies, at once

_BODIES = Prepared(
    select(bodies.c.queue_id)
    .where(bodies.c.queue_id > bindparam("b_after"), bodies.c.place != sa.literal_column(f"'{PURGED}'"))
    .order_by(bodies.c.queue_id)
    .limit(LIMIT)
)


async def hold_all(spool: SqlSpool, made_at: str, actor: Actor, now: datetime, words: str = WORDS) -> int:
    """Hold every open recipient, key on its way and file behind a link, until somebody decides; return how many recipients.

    Raises StoreUnavailable; may be run again. `words` say in the recipient's record why it is held.
    """
    restored = Restored(made_at, actor, to_us(now), words)
    await spool.database.committer.run(drop_hold_notices)
    while await spool.database.committer.run(hold_keys(made_at, actor, to_us(now), BATCH)):
        pass
    while await spool.database.committer.run(lock_restored(made_at, actor, to_us(now), BATCH)):
        pass
    held = 0
    while count := await spool.database.committer.run(hold_open(restored, BATCH)):
        held += count
    return held


async def bodies_to_check(spool: SqlSpool, after: str) -> list[str]:
    """Return the next queue ids, behind `after`, whose body should open."""
    rows = await spool.database.readers.run(lambda q: q.rows(_BODIES, {"b_after": after, "b_limit": BATCH}))
    return [row[0] for row in rows]
