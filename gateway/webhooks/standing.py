"""How far each webhook has been told, in the store: events are read behind a mark, and the mark moves when they were taken.

The events themselves are the queue: nothing is written when a mail is accepted. One process at a time tells a server, by a
lease; what a crash cut short is told again. A new webhook begins with what happens from then on.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, or_, select

from gateway.spool.lifecycle import Kind
from gateway.spool.times import span_us, to_us
from gateway.store.call_tables import webhooks
from gateway.store.database import Database
from gateway.store.schema import chain, events
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass
from gateway.webhooks.payload import INCIDENTS, WATCHED, Seen

PAGE = 100  # events read at once
LOOKED_PAST = 5_000  # numbers of a chain in one look: most events are nothing to tell of

_W, _E = webhooks.c, events.c
_NAME = _W.name == bindparam("b_name")
_ROW = Prepared(select(_W.heads, _W.failures, _W.next_at).where(_NAME))
_HEADS = Prepared(select(chain.c.node, chain.c.seq).order_by(chain.c.node))
_FREE = or_(_W.lease_until.is_(None), _W.lease_until < bindparam("b_now"))
_TAKE = Prepared(
    webhooks.update()
    .where(_NAME, _W.next_at <= bindparam("b_now"), _FREE)
    .values(lease=bindparam("b_lease"), lease_until=bindparam("b_until"))
)
_SETTLE = Prepared(
    webhooks.update()
    .where(_NAME, _W.lease == bindparam("b_lease"))
    .values(
        heads=bindparam("b_heads"),
        failures=bindparam("b_failures"),
        next_at=bindparam("b_next_at"),
        lease=sa.null(),
        lease_until=sa.null(),
    )
)
_ADD = Prepared(
    sa.text(
        "INSERT INTO webhooks (name, heads, failures, next_at) VALUES (:b_name, :b_heads, 0, :b_now)"
        " ON CONFLICT (name) DO NOTHING"
    )
)
_KINDS = or_(
    *[_E.kind == sa.literal_column(f"'{kind}'") for kind in WATCHED],
    _E.kind.like(sa.literal_column(f"'{INCIDENTS}%'")),
)
_BEHIND = Prepared(
    select(_E.node, _E.seq, _E.at, _E.queue_id, _E.kind, _E.recipients, _E.detail)
    .where(
        _E.node == bindparam("b_node"),
        _E.seq > bindparam("b_after"),
        _E.seq <= bindparam("b_until"),
        _KINDS,
    )
    .order_by(_E.seq)
    .limit(PAGE)
)
_OURS = Prepared(
    select(_E.detail).where(
        _E.queue_id == bindparam("b_queue_id"), _E.kind == sa.literal_column(f"'{Kind.ACCEPTED}'")
    )
)


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to tell one server, for a while. `heads` are the last events told, by chain; `failures` those in a row."""

    name: str
    lease: str
    heads: Mapping[str, int]
    failures: int


class Standing:
    """The marks of all webhooks. Every verb raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def begin(self, name: str, now: datetime) -> None:
        """Make sure that a webhook has a mark; a new one stands at the end of every chain."""
        if await self._db.readers.run(lambda queries: queries.row(_ROW, {"b_name": name})) is None:
            await self._db.committer.run(_begun(name, to_us(now)))

    async def take(self, name: str, now: datetime, lease: timedelta) -> Turn | None:
        """Take the turn; None where it is not time, or where somebody else has it."""
        at, word = to_us(now), secrets.token_hex(8)

        def job(tx: Tx) -> Turn | None:
            wanted = {"b_lease": word, "b_until": at + span_us(lease), "b_now": at, "b_name": name}
            if not tx.run(_TAKE, wanted):
                return None
            heads, failures, _ = tx.row(_ROW, {"b_name": name})
            return Turn(name, word, json.loads(heads), int(failures))

        return await self._db.committer.run(job)

    async def due(self, name: str, now: datetime) -> bool:
        """Tell whether there is anything behind the mark and its time has come; costs no turn of the committer."""

        def read(queries: Queries) -> bool:
            row = queries.row(_ROW, {"b_name": name})
            if row is None or row[2] > to_us(now):
                return False
            heads = json.loads(row[0])
            return any(seq > heads.get(node, 0) for node, seq in queries.rows(_HEADS))

        return await self._db.readers.run(read)

    async def behind(self, heads: Mapping[str, int]) -> tuple[Sequence[Seen], Mapping[str, int]]:
        """Return events behind the marks, chain by chain in order, and where the marks stand when all were told."""
        return await self._db.readers.run(lambda queries: _behind(queries, heads))

    async def ours(self, queue_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these mails that the gateway wrote itself, as their acceptance says."""

        def read(queries: Queries) -> frozenset[str]:
            found = {each: queries.row(_OURS, {"b_queue_id": each}) for each in queue_ids}
            return frozenset(each for each, row in found.items() if row and '"from_gateway":true' in row[0])

        return await self._db.readers.run(read)

    async def settle(self, turn: Turn, heads: Mapping[str, int], failures: int, next_at: datetime) -> bool:
        """Move the marks and give the turn back; False where the lease was somebody else's by then."""
        values = {"b_heads": json.dumps(dict(heads)), "b_failures": failures, "b_next_at": to_us(next_at)}
        wanted = {"b_name": turn.name, "b_lease": turn.lease} | values
        return await self._db.committer.run(lambda tx: tx.run(_SETTLE, wanted) == 1)


def _begun(name: str, now: int) -> Callable[[Tx], None]:
    def job(tx: Tx) -> None:
        heads = {str(node): int(seq) for node, seq in tx.rows(_HEADS)}
        tx.run(_ADD, {"b_name": name, "b_heads": json.dumps(heads), "b_now": now})

    return job


def _behind(queries: Queries, heads: Mapping[str, int]) -> tuple[list[Seen], dict[str, int]]:
    found: list[Seen] = []
    reached = dict(heads)
    for node, newest in queries.rows(_HEADS):
        after = heads.get(node, 0)
        until = min(int(newest), after + LOOKED_PAST)
        rows = queries.rows(_BEHIND, {"b_node": node, "b_after": after, "b_until": until})
        found += [_seen(row) for row in rows]
        reached[node] = int(rows[-1][1]) if len(rows) == PAGE else until
    return found, reached


def _seen(row: tuple[Any, ...]) -> Seen:
    node, seq, at, queue_id, kind, recipients, detail = row
    try:
        facts = json.loads(detail)
    except ValueError:
        facts = {}
    return Seen(node, int(seq), int(at), queue_id, kind, recipients, facts if isinstance(facts, dict) else {})
