"""Delete events older than the settings keep them, up to a signed checkpoint, so that what is left can still be verified.

An event says so: it names the checkpoint, by number and by the hash of its statement, and stands in the chain behind the cut.
Whoever walks the chains begins where that checkpoint ends. Nobody can cut a log by himself: without the event, which is hashed
and sealed, what is missing is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.audit.checkpoints import ChainAltered, Checkpoint, last_before, newest, some
from gateway.audit.entries import Question
from gateway.audit.lines import all_lines
from gateway.audit.log import EventLog
from gateway.audit.named import AROUND, named_by
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.times import from_us, to_us
from gateway.spool.values import SYSTEM
from gateway.store.events import Event, Head
from gateway.store.incident_tables import incidents
from gateway.store.schema import events, messages
from gateway.store.tx import Prepared, Queries, Tx

ONCE = timedelta(days=1)  # from one cut to the next
AT_ONCE = 5_000  # events deleted in one transaction: a tenth of a second for whoever waits behind it


def prune(before: datetime, now: datetime, already: int) -> Callable[[Tx], tuple[int, int]]:
    """Delete some events up to the last checkpoint before a time; return up to which one, and how many were deleted.

    `already` is the checkpoint that the last such event names, 0 for none. The newest checkpoint is never the cut: the next
    one looks whether the chains still hold what it says. Events of mail with an incident, and all behind them, stay for as
    long as the incident does. Raises ChainAltered where the checkpoint is not the one that an event names.
    """

    def job(tx: Tx) -> tuple[int, int]:
        cut, last = _cut(tx, _until(tx, before), already), newest(tx)
        if cut is None or last is None or cut.number >= last.number:
            return already, 0
        if cut.number > already:
            _check(tx, cut)
            tx.event(_event(cut, now))
        left, gone = AT_ONCE, 0
        for head in cut.heads.values():
            if left > gone:
                gone += _delete(tx, head, left - gone)
        return cut.number, gone

    return job


def _until(queries: Queries, before: datetime) -> datetime:
    """Return up to when events may go: what happened to a mail with an incident is evidence, however old it is.

    A day earlier than it came, because a checkpoint says when it was begun, and may name events of the moment after.
    """
    row = queries.row(_EVIDENCE)
    first = None if row is None else from_us(row[0])
    return before if first is None else min(before, first - ONCE)


def _check(queries: Queries, cut: Checkpoint) -> None:
    """Raise ChainAltered where somebody moved this checkpoint to another time, or wrote it himself."""
    moved = datetime.fromisoformat(json.loads(cut.statement)["at"]) != cut.at
    if moved or named_by(queries, cut.at - AROUND).get(cut.number) != cut.digest:
        raise ChainAltered(f"checkpoint {cut.number} is not the one that the event about it names")


def _cut(queries: Queries, before: datetime, already: int) -> Checkpoint | None:
    """Return up to which checkpoint events go: a new one, or the last one again where that is not a day older."""
    new = last_before(before)(queries)
    old = some(already - 1, 1)(queries) if already else []
    if old and (new is None or new.at - old[0].at < ONCE):
        return old[0]
    return new


def last_cut(log: EventLog) -> int:
    """Return the number of the checkpoint up to which events were deleted, 0 where none were."""
    cut = cut_at(log)
    return 0 if cut is None else cut.number


def beginnings(log: EventLog) -> Mapping[str, Head]:
    """Return where each chain begins: behind which event, as the checkpoint of the last cut says; nothing where none was cut.

    Raises ValueError where that checkpoint is not the one that the event names.
    """
    cut = cut_at(log)
    return {} if cut is None else cut.heads


def cut_at(log: EventLog) -> Checkpoint | None:
    """Return the checkpoint of the last cut; raises ValueError where it is not the one that the event names."""
    event = next(all_lines(log, Question(kinds=(Kind.PRUNED.value,))), None)
    if event is None:
        return None
    head = log.head(event.node)
    if head is None or head[0].seq < event.seq:  # it is hashed, but nobody sealed it
        raise ValueError(
            f"event {event.seq}, which says that old events were deleted, stands behind the sealed end"
        )
    number = event.detail.get("checkpoint")
    found = log.readers.read(some(number - 1, 1)) if isinstance(number, int) else []
    if not found or found[0].number != number or found[0].digest != event.detail.get("digest"):
        raise ValueError(
            f"checkpoint {number}, up to which old events were deleted, is not the one that was signed"
        )
    return found[0]


def _delete(tx: Tx, head: Head, most: int) -> int:
    first = _first(tx, head)
    if first is None:
        return 0
    return tx.run(_GONE, {"b_node": head.node, "b_seq": min(head.seq, first + most - 1)})


def _first(queries: Queries, head: Head) -> int | None:
    row = queries.row(_FIRST, {"b_node": head.node, "b_seq": head.seq})
    return None if row is None or row[0] is None else int(row[0])


def _event(cut: Checkpoint, now: datetime) -> Event:
    detail = {"checkpoint": cut.number, "digest": cut.digest, "until": cut.at.isoformat()}
    return Event(to_us(now), None, Kind.PRUNED, Reason.RETENTION, SYSTEM.kind, SYSTEM.name, detail=detail)


_EVIDENCE = Prepared(
    sa.select(sa.func.min(messages.c.received_at)).join_from(
        incidents, messages, incidents.c.queue_id == messages.c.queue_id
    )
)
_E = events.c
_OLD = (_E.node == bindparam("b_node"), _E.seq <= bindparam("b_seq"))
_FIRST = Prepared(sa.select(sa.func.min(_E.seq)).where(*_OLD))
_GONE = Prepared(events.delete().where(*_OLD))
