"""Check the signed checkpoints of a store against its chains: signatures, their order, and the events that they name.

A checkpoint that is kept elsewhere can be compared by anybody; those in the store show at least a log that was rewritten by
somebody who holds the master key and not the signing key of that time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.audit.checkpoints import Checkpoint, some
from gateway.audit.log import EventLog
from gateway.audit.offline import Wrong, signed_checkpoint
from gateway.audit.pruning import beginnings
from gateway.audit.signing_keys import public_keys
from gateway.store.events import GENESIS, Head
from gateway.store.proof_tables import checkpoints

AT_ONCE = 500  # checkpoints read at once


@dataclass(frozen=True, slots=True)
class Signed:
    """How many checkpoints agree with the chains; `problem` names the first that does not."""

    checked: int
    problem: str = ""
    newest: Checkpoint | None = None

    @property
    def intact(self) -> bool:
        return not self.problem


def verify_checkpoints(log: EventLog) -> Signed:
    """Check all checkpoints; raises StoreUnavailable. A store of an older version, that nobody opened since, has none."""
    if not log.readers.read(lambda queries: sa.inspect(queries.connection).has_table(checkpoints.name)):
        return Signed(0)
    keys = [key.public for key in log.readers.read(public_keys)]
    try:
        begun = beginnings(log)
    except ValueError as error:
        return Signed(0, str(error))
    last: Checkpoint | None = None
    checked = 0
    while found := log.readers.read(some(0 if last is None else last.number, AT_ONCE)):
        for each in found:
            try:
                _check(log, each, last, keys, begun)
            except Wrong as wrong:
                return Signed(checked, str(wrong), last)
            except (ValueError, KeyError, TypeError):
                return Signed(checked, f"checkpoint {each.number} cannot be read", last)
            last, checked = each, checked + 1
    return Signed(checked, newest=last)


def _check(
    log: EventLog,
    each: Checkpoint,
    last: Checkpoint | None,
    keys: list[bytes],
    begun: Mapping[str, Head],
) -> None:
    told = signed_checkpoint(each.statement, each.signature, keys)
    number, previous = (0, "") if last is None else (last.number, last.digest)
    if (each.number, told["number"], told["previous"]) != (number + 1, number + 1, previous):
        raise Wrong(
            f"checkpoint {each.number} does not follow checkpoint {number}: one is missing or was replaced"
        )
    for head in each.heads.values():
        kept = head.node not in begun or head.seq > begun[head.node].seq
        if kept and _hash(log, head) != head.hash:
            where = f" of the chain {head.node!r}" if head.node else ""
            raise Wrong(f"event {head.seq}{where} is not the one that checkpoint {each.number} names")


def _hash(log: EventLog, head: Head) -> object:
    if head.seq == 0:
        return GENESIS
    rows = log.rows_after(head.seq - 1, 1, head.node)
    return rows[0][-1] if rows and rows[0][0] == head.seq else None
