"""Signed checkpoints: where all chains of events ended at a time, in a statement that can be kept anywhere.

Who has a checkpoint can tell, without the gateway and its master key, whether a log that is shown later is the one of that
time. A checkpoint names the one before by its hash, so none can be left out. Nothing is signed blindly: a head must be sealed
under the master key, the chain must still hold what the checkpoint before says, and that one must be the one that an event
names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.audit.named import AROUND, named_by, repaired_at
from gateway.audit.signed import CHECKPOINT, Signer, write_public
from gateway.audit.signing_keys import signer_for
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.times import from_us, to_us
from gateway.spool.values import SYSTEM, Actor
from gateway.store.database import event_seal
from gateway.store.errors import StoreConflict
from gateway.store.events import GENESIS, Event, Head, canonical
from gateway.store.keys import MasterKey
from gateway.store.proof_tables import checkpoints
from gateway.store.schema import chain, events
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

VERSION = 1


class ChainAltered(Exception):
    """The log is not what it was: no checkpoint is signed over it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`statement` is the text that was signed; `heads` are the ends of all chains in it, by name."""

    number: int
    at: datetime
    statement: str
    signature: bytes

    @property
    def heads(self) -> Mapping[str, Head]:
        """Read the ends of the chains; raises ValueError, KeyError, TypeError on a statement that somebody altered."""
        rows = json.loads(self.statement)["chains"]
        return {node: Head(int(seq), bytes.fromhex(hash_), node) for node, seq, hash_ in rows}

    @property
    def digest(self) -> str:
        """Return the hash by which the next checkpoint names this one."""
        return digest(self.statement)


def digest(statement: str) -> str:
    """Return the SHA-256 of a statement, in hexadecimal."""
    return hashlib.sha256(statement.encode()).hexdigest()


def make(master: MasterKey, now: datetime, actor: Actor = SYSTEM) -> Callable[[Tx], Checkpoint]:
    """Sign where all chains end; raises ChainAltered."""

    def job(tx: Tx) -> Checkpoint:
        signer = signer_for(tx, master, now)
        before, heads = newest(tx), _sealed_heads(tx, master)
        _check_named(tx, before, now)
        if before is not None:
            _check(tx, before, heads)
        made = _signed(signer, heads, before, now)
        row = {"b_number": made.number, "b_at": to_us(now)}
        if not tx.run(_ADD, row | {"b_statement": made.statement, "b_signature": made.signature}):
            raise StoreConflict("another gateway is making a checkpoint")
        detail = {"number": made.number, "digest": made.digest, "key": signer.number}
        tx.event(_event(now, actor, detail))
        return made

    return job


def newest(queries: Queries) -> Checkpoint | None:
    """Return the last checkpoint."""
    row = queries.row(_NEWEST)
    return None if row is None else _of(row)


def some(after: int, limit: int) -> Callable[[Queries], list[Checkpoint]]:
    """Return checkpoints behind a number, in order."""
    return lambda queries: [_of(row) for row in queries.rows(_SOME, {"b_after": after, "b_limit": limit})]


def last_before(at: datetime) -> Callable[[Queries], Checkpoint | None]:
    """Return the last checkpoint that was made at this time or before."""

    def read(queries: Queries) -> Checkpoint | None:
        row = queries.row(_BEFORE, {"b_at": to_us(at)})
        return None if row is None else _of(row)

    return read


def first_since(at: datetime) -> Callable[[Queries], Checkpoint | None]:
    """Return the first checkpoint that was made at this time or later."""

    def read(queries: Queries) -> Checkpoint | None:
        row = queries.row(_SINCE, {"b_at": to_us(at)})
        return None if row is None else _of(row)

    return read


def _signed(signer: Signer, heads: list[Head], before: Checkpoint | None, now: datetime) -> Checkpoint:
    number = 1 if before is None else before.number + 1
    statement = canonical(
        {
            "version": VERSION,
            "number": number,
            "at": now.isoformat(),
            "chains": [[head.node, head.seq, head.hash.hex()] for head in heads],
            "previous": "" if before is None else before.digest,
            "key": write_public(signer.public),
        }
    )
    return Checkpoint(number, now, statement, signer.sign(CHECKPOINT, statement))


def _sealed_heads(tx: Tx, master: MasterKey) -> list[Head]:
    seal, heads = event_seal(master), list[Head]()
    for node, seq, hash_, signature in tx.rows(_HEADS):
        head = Head(seq, bytes(hash_), node)
        if not seal.holds(head, bytes(signature)):
            raise ChainAltered(f"the head of the chain {node!r} was not sealed under this master key")
        heads.append(head)
    return heads


def _check_named(queries: Queries, before: Checkpoint | None, now: datetime) -> None:
    """Raise ChainAltered where an event names a checkpoint that is not there any more, or another one of this number.

    What a damaged database lost before it was repaired is not asked for: it would never be signed again. Verification tells.
    """
    since = [repaired_at(queries), None if before is None else min(before.at, now) - AROUND]
    named = named_by(queries, max((each for each in since if each is not None), default=None))
    last = max(named, default=0)
    if before is not None and named.get(before.number, before.digest) != before.digest:
        raise ChainAltered(f"checkpoint {before.number} is not the one that the event about it names")
    if last > (0 if before is None else before.number):
        raise ChainAltered(f"checkpoint {last}, which an event names, is missing")


def _check(queries: Queries, before: Checkpoint, heads: list[Head]) -> None:
    """Raise ChainAltered where a chain does not hold what the checkpoint before says of it."""
    ends = {head.node: head for head in heads}
    for node, old in before.heads.items():
        if node not in ends or ends[node].seq < old.seq or _hash_of(queries, old) != old.hash:
            what = (
                f"event {old.seq} of the chain {node!r} is not the one that checkpoint {before.number} names"
            )
            raise ChainAltered(what)


def _hash_of(queries: Queries, head: Head) -> bytes:
    if head.seq == 0:
        return GENESIS
    row = queries.row(_HASH, {"b_node": head.node, "b_seq": head.seq})
    return b"" if row is None else bytes(row[0])


def _of(row: tuple[object, ...]) -> Checkpoint:
    number, at, statement, signature = row
    return Checkpoint(int(str(number)), from_us(int(str(at))), str(statement), bytes(signature))  # type: ignore[call-overload]


def _event(now: datetime, actor: Actor, detail: Mapping[str, object]) -> Event:
    reason = Reason.SYSTEM if actor == SYSTEM else Reason.BY_ADMIN
    return Event(to_us(now), None, Kind.CHECKPOINT, reason, actor.kind, actor.name, detail=detail)


_C = checkpoints.c
_ALL = sa.select(_C.number, _C.at, _C.statement, _C.signature)
_NEWEST = Prepared(_ALL.order_by(_C.number.desc()).limit(1))
_SOME = Prepared(_ALL.where(_C.number > bindparam("b_after")).order_by(_C.number).limit(bindparam("b_limit")))
_BEFORE = Prepared(_ALL.where(_C.at <= bindparam("b_at")).order_by(_C.at.desc(), _C.number.desc()).limit(1))
_SINCE = Prepared(_ALL.where(_C.at >= bindparam("b_at")).order_by(_C.at, _C.number).limit(1))
_HEADS = Prepared(sa.select(chain.c.node, chain.c.seq, chain.c.hash, chain.c.seal).order_by(chain.c.node))
_HASH = Prepared(
    sa.select(events.c.hash).where(events.c.node == bindparam("b_node"), events.c.seq == bindparam("b_seq"))
)
_ADD = Prepared(
    sa.text(
        "INSERT INTO checkpoints (number, at, statement, signature)"
        " VALUES (:b_number, :b_at, :b_statement, :b_signature) ON CONFLICT (number) DO NOTHING"
    )
)
