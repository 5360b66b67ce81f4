"""Calls that carried an idempotency key, in the store: the same key again gets the same answer and does nothing.

A key belongs to one token. Answers are wrapped by the master key: some hold what people wrote of an incident. A call that a
crash cut short may be made again after a while: every verb of the gateway says the truth about what is done already, so that
doing it twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.times import span_us, to_us
from gateway.store.call_tables import api_calls
from gateway.store.database import Database
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Prepared, Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

KEPT = timedelta(hours=24)  # a client that tries again does so within minutes
UNDER_WAY = timedelta(minutes=2)  # a call that takes longer was cut short; a verb takes some milliseconds
FORGOTTEN_AT_ONCE = 50  # old rows that one call takes away

_C = api_calls.c
_ONE = sa.and_(_C.token == bindparam("b_token"), _C.key == bindparam("b_key"))
_READ = Prepared(select(_C.digest, _C.begun_at, _C.status, _C.body).where(_ONE).with_for_update())
_BEGIN = Prepared(
    sa.text(
        "INSERT INTO api_calls (token, key, digest, begun_at)"
        " VALUES (:b_token, :b_key, :b_digest, :b_now) ON CONFLICT (token, key) DO NOTHING"
    )
)
_AGAIN = Prepared(api_calls.update().where(_ONE).values(begun_at=bindparam("b_now")))
_END = Prepared(
    api_calls.update()
    .where(_ONE, _C.begun_at == bindparam("b_begun"))
    .values(status=bindparam("b_status"), body=bindparam("b_body"))
)
_DROP = Prepared(api_calls.delete().where(_ONE, _C.begun_at == bindparam("b_begun")))
_OLD = Prepared(
    select(_C.token, _C.key)
    .where(_C.begun_at < bindparam("b_before"))
    .order_by(_C.begun_at)
    .limit(FORGOTTEN_AT_ONCE)
)
_FORGET = Prepared(api_calls.delete().where(_ONE))


@dataclass(frozen=True, slots=True)
class Begun:
    """This call is to be made now; `at` names it among those with the same key."""

    token: str
    key: str
    at: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The call was made before, and this was the answer."""

    status: int
    body: bytes


class Busy(Exception):
    """The same call is under way."""


class Another(Exception):
    """The key was used for a call that said something else."""


class Calls(Protocol):
    """What the API needs of them. Every verb raises StoreUnavailable."""

    async def begin(self, token: str, key: str, digest: bytes, now: datetime) -> Begun | Answered:
        """Take a key for a call whose octets have this digest; raises Busy, Another."""

    async def end(self, begun: Begun, answered: Answered) -> None:
        """Keep the answer."""

    async def drop(self, begun: Begun) -> None:
        """Forget the call: it came to nothing that would have to be said again."""


class SqlCalls:
    """Implements `Calls` on a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def begin(self, token: str, key: str, digest: bytes, now: datetime) -> Begun | Answered:
        found = await self._db.committer.run(_begin(self._db.master, token, key, digest, to_us(now)))
        if isinstance(found, Exception):
            raise found
        return found

    async def end(self, begun: Begun, answered: Answered) -> None:
        body = self._db.master.wrap(answered.body, _row(begun.token, begun.key))
        values = {"b_status": answered.status, "b_body": body}
        await self._db.committer.run(lambda tx: tx.run(_END, _named(begun) | values))

    async def drop(self, begun: Begun) -> None:
        await self._db.committer.run(lambda tx: tx.run(_DROP, _named(begun)))


def _named(begun: Begun) -> dict[str, object]:
    return {"b_token": begun.token, "b_key": begun.key, "b_begun": begun.at}


def _row(token: str, key: str) -> str:
    return bound(api_calls.name, token, key)


def _unwrapped(master: MasterKey, wrapped: bytes, row: str) -> bytes | None:
    """Return a kept answer; None where its master key was replaced since: then the call is made again."""
    for key_id in master.key_ids:
        holder = master.holding(key_id)
        with suppress(MasterKeyError):
            return holder.unwrap(wrapped, row) if holder is not None else None
    return None


def _begin(
    master: MasterKey, token: str, key: str, digest: bytes, now: int
) -> Callable[[Tx], Begun | Answered | Busy | Another]:
    one = {"b_token": token, "b_key": key}

    def job(tx: Tx) -> Begun | Answered | Busy | Another:
        _forget_old(tx, now - span_us(KEPT))
        if tx.run(_BEGIN, one | {"b_digest": digest, "b_now": now}):
            return Begun(token, key, now)
        before, begun_at, status, body = tx.row(_READ, one)
        if bytes(before) != digest:
            return Another()
        kept = None if status is None else _unwrapped(master, bytes(body), _row(token, key))
        if kept is not None:
            return Answered(int(status), kept)
        if status is None and now - int(begun_at) < span_us(UNDER_WAY):
            return Busy()
        tx.run(_AGAIN, one | {"b_now": now})
        return Begun(token, key, now)

    return job


def _forget_old(tx: Tx, before: int) -> None:
    for token, key in tx.rows(_OLD, {"b_before": before}):
        tx.run(_FORGET, {"b_token": token, "b_key": key})
