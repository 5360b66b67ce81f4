"""The keys that sign checkpoints and certificates: made once by the gateway, the private half wrapped by the master key.

One key signs at a time. Its successor is named in a statement that both sign, so who trusts either can follow to the other;
then the old private half is destroyed, and nobody can sign anything in its name any more, whatever they steal later.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.audit.signed import SUCCESSION, Signer, write_public
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.times import from_us, to_us
from gateway.spool.values import SYSTEM, Actor
from gateway.store.errors import StoreConflict
from gateway.store.events import Event, canonical
from gateway.store.keys import MasterKey
from gateway.store.proof_tables import signing_keys
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

MAX_KEYS = 1_000  # in one store; a key lives for years


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as everybody may know it. `succession` is the statement of how it follows the one before, empty for the first."""

    number: int
    since: datetime
    public: bytes
    succession: str

    @property
    def text(self) -> str:
        return write_public(self.public)


def public_keys(queries: Queries) -> list[PublicKey]:
    """Return all keys that ever signed, the oldest first."""
    rows = queries.rows(_LIST, {"b_limit": MAX_KEYS})
    return [PublicKey(number, from_us(since), bytes(public), told) for number, since, public, told in rows]


def signer_for(tx: Tx, master: MasterKey, now: datetime) -> Signer:
    """Return the key that signs now, made if there is none; raises MasterKeyError where it cannot be unwrapped."""
    found = _current(tx, master)
    if found is not None:
        return found
    made = Signer.fresh(1)
    if _store(tx, made, "", master, now):
        tx.event(_event(made, SYSTEM, Reason.SYSTEM, now))
        return made
    found = _current(tx, master)  # another gateway was faster
    if found is None:
        raise StoreConflict("the signing key that another gateway made cannot be read")
    return found


def succeed(master: MasterKey, actor: Actor, now: datetime) -> Callable[[Tx], Signer]:
    """Make a new key that signs from now on, and destroy the private half of the one before."""

    def job(tx: Tx) -> Signer:
        old = signer_for(tx, master, now)
        new = Signer.fresh(old.number + 1)
        if not _store(tx, new, _succession(old, new, now), master, now):
            raise StoreConflict("another gateway is changing the signing key")
        tx.run(_DESTROY, {"b_number": old.number})
        tx.event(_event(new, actor, Reason.BY_ADMIN, now))
        return new

    return job


def _succession(old: Signer, new: Signer, now: datetime) -> str:
    statement = canonical(
        {
            "at": now.isoformat(),
            "from": write_public(old.public),
            "number": new.number,
            "to": write_public(new.public),
        }
    )
    return json.dumps(
        {
            "statement": statement,
            "signed_by_old": old.sign(SUCCESSION, statement).hex(),
            "signed_by_new": new.sign(SUCCESSION, statement).hex(),
        }
    )


def _current(queries: Queries, master: MasterKey) -> Signer | None:
    row = queries.row(_NEWEST)
    if row is None:
        return None
    number, key_id, wrapped = row
    holder = master.holding(key_id) or master
    return Signer(number, holder.unwrap(bytes(wrapped or b""), bound(signing_keys.name, number)))


def _store(tx: Tx, key: Signer, succession: str, master: MasterKey, now: datetime) -> bool:
    wrapped = master.wrap(key.private, bound(signing_keys.name, key.number))
    tx.under(master.key_id)
    row = {"b_number": key.number, "b_since": to_us(now), "b_public": key.public}
    return bool(
        tx.run(_ADD, row | {"b_succession": succession, "b_key_id": master.key_id, "b_wrapped": wrapped})
    )


def _event(key: Signer, actor: Actor, reason: Reason, now: datetime) -> Event:
    detail = {"number": key.number, "public": write_public(key.public)}
    return Event(to_us(now), None, Kind.SIGNING_KEY, reason, actor.kind, actor.name, detail=detail)


_K = signing_keys.c
_LIST = Prepared(
    sa.select(_K.number, _K.since, _K.public, _K.succession).order_by(_K.number).limit(bindparam("b_limit"))
)
_NEWEST = Prepared(sa.select(_K.number, _K.key_id, _K.wrapped).order_by(_K.number.desc()).limit(1))
_ADD = Prepared(
    sa.text(
        "INSERT INTO signing_keys (number, since, public, succession, key_id, wrapped)"
        " VALUES (:b_number, :b_since, :b_public, :b_succession, :b_key_id, :b_wrapped)"
        " ON CONFLICT (number) DO NOTHING"
    )
)
_DESTROY = Prepared(signing_keys.update().where(_K.number == bindparam("b_number")).values(wrapped=sa.null()))
