"""Check the signed checkpoints of a store against its chains: signatures, their order, and the events that they name.

A checkpoint that is kept elsewhere can be compared by anybody; those in the store show at least a log that was rewritten by
somebody who holds the master key and not the signing key of that time. And each is the one that an event names: who writes
the database can replace checkpoints together with the keys, but not that event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa

from gateway.audit.checkpoints import Checkpoint, some
from gateway.audit.key_turns import Wrong
from gateway.audit.log import EventLog
from gateway.audit.named import Names, named_in
from gateway.audit.offline import signed_checkpoint
from gateway.audit.pruning import cut_at
from gateway.audit.signing_keys import public_keys
from gateway.store.events import GENESIS, Head
from gateway.store.proof_tables import checkpoints
from gateway.values import dataclass

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
    named = named_in(log)  # first: what is made meanwhile is in the table all the same
    keys = [key.public for key in log.readers.read(public_keys)]
    try:
        cut = cut_at(log)
    except ValueError as error:
        return Signed(0, str(error))
    begun = {} if cut is None else cut.heads
    last: Checkpoint | None = None
    checked, unnamed = 0, list[Checkpoint]()
    for each in _all(log):
        try:
            _check(log, each, last, keys, begun)
            _check_name(each, named)
        except Wrong as wrong:
            return Signed(checked, str(wrong), last)
        except (ValueError, KeyError, TypeError):
            return Signed(checked, f"checkpoint {each.number} cannot be read", last)
        if each.number not in named and (cut is None or each.number > cut.number):
            unnamed.append(each)
        last, checked = each, checked + 1
    problem = _missing(named, last) or _not_named(log, unnamed)
    return Signed(checked, problem, last)


def _all(log: EventLog) -> Iterator[Checkpoint]:
    after = 0
    while found := log.readers.read(some(after, AT_ONCE)):
        yield from found
        after = found[-1].number


def _check_name(each: Checkpoint, named: Names) -> None:
    if named.get(each.number, each.digest) != each.digest:
        raise Wrong(f"checkpoint {each.number} is not the one that the event about it names")


def _missing(named: Names, last: Checkpoint | None) -> str:
    number = 0 if last is None else last.number
    gone = [each for each in named if each > number]
    return f"checkpoint {min(gone)}, which an event names, is missing" if gone else ""


def _not_named(log: EventLog, unnamed: list[Checkpoint]) -> str:
    """Say which checkpoint no event names; those that were made since the events were read are looked up once more."""
    named = named_in(log) if unnamed else {}
    wrong = next((each for each in unnamed if named.get(each.number) != each.digest), None)
    return "" if wrong is None else f"checkpoint {wrong.number} is named by no event"


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
    if datetime.fromisoformat(told["at"]) != each.at:
        raise Wrong(f"checkpoint {each.number} does not stand at the time that it says")
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
