"""Keyed hashes that stand for addresses and Message-IDs, so that a copy of the database does not list whom people write to.

The key is random, made once for a store, and kept wrapped by the master key as a message's key is: a new master key wraps it
anew (spool/rekeying.py), and what was hashed stays good. Without the key nobody can tell whether an address is among them by
trying all that he can think of.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.store.keys import KEY_BYTES, MasterKey
from gateway.store.schema import secrets
from gateway.store.tx import Prepared, Queries, Tx

NAME = "pseudonyms"  # of the row; also what the wrapping is bound to
HASH_BYTES = 16  # no two of a billion addresses share one


class Pseudonyms:
    """Hashes under one key. `purpose` keeps the hashes of one table from being those of another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, purpose: str, text: str) -> bytes:
        """Return the hash of a text, of any characters."""
        octets = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, octets, "sha256")[:HASH_BYTES]


def read(master: MasterKey) -> Callable[[Queries], Pseudonyms | None]:
    """Return the store's pseudonyms, None where there is no key yet; raises MasterKeyError where it cannot be unwrapped."""

    def job(queries: Queries) -> Pseudonyms | None:
        row = queries.row(_READ, {"b_name": NAME})
        if row is None:
            return None
        holder = master.holding(row[0]) or master
        return Pseudonyms(holder.unwrap(bytes(row[1]), NAME))

    return job


def create(master: MasterKey) -> Callable[[Tx], None]:
    """Make the key, unless somebody else was faster."""

    def job(tx: Tx) -> None:
        wrapped = master.wrap(os.urandom(KEY_BYTES), NAME)
        tx.run(_CREATE, {"b_name": NAME, "b_key_id": master.key_id, "b_wrapped": wrapped})
        tx.under(master.key_id)

    return job


def rewrap(master: MasterKey) -> Callable[[Tx], int]:
    """Wrap the key under this master key where it is under another one that is held; return how many were: 0 or 1."""

    def job(tx: Tx) -> int:
        row = tx.row(_READ, {"b_name": NAME})
        holder = master.holding(row[0]) if row is not None and row[0] != master.key_id else None
        if row is None or holder is None:
            return 0
        wrapped = master.wrap(holder.unwrap(bytes(row[1]), NAME), NAME)
        tx.under(master.key_id)
        was = {"b_name": NAME, "b_was": row[0]}
        return tx.run(_REWRAP, was | {"b_key_id": master.key_id, "b_wrapped": wrapped})

    return job


_S = secrets.c
SECRET_KEYS = Prepared(sa.select(_S.key_id))
_READ = Prepared(sa.select(_S.key_id, _S.wrapped).where(_S.name == bindparam("b_name")))
_CREATE = Prepared(
    sa.text(
        "INSERT INTO secrets (name, key_id, wrapped) VALUES (:b_name, :b_key_id, :b_wrapped)"
        " ON CONFLICT (name) DO NOTHING"
    )
)
_REWRAP = Prepared(
    secrets.update()
    .where(_S.name == bindparam("b_name"), _S.key_id == bindparam("b_was"))
    .values(key_id=bindparam("b_key_id"), wrapped=bindparam("b_wrapped"))
)
