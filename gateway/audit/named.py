"""What the chains tell of checkpoints: an event names each by number and hash, hashed and sealed like any other event.

So who can write the database cannot put a checkpoint, or a signing key, of his own in the place of ours, nor take one away:
the events contradict it. Events from before a cut are gone, and what they named with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.audit.log import EventLog
from gateway.spool.lifecycle import Kind
from gateway.spool.times import from_us, to_us
from gateway.store.schema import events
from gateway.store.tx import Prepared, Queries

AROUND = timedelta(days=1)  # by how much clocks may differ
Names = Mapping[int, str]

# Some hundred octets an hour for as long as the store exists; they have no queue id, and an index finds what has none.
_NAMED = Prepared(
    sa.select(events.c.detail).where(
        events.c.queue_id.is_(None),
        events.c.kind == sa.literal_column(f"'{Kind.CHECKPOINT.value}'"),
        events.c.at >= bindparam("b_since"),
    )
)

_REPAIRED = Prepared(
    sa.select(sa.func.max(events.c.at)).where(
        events.c.queue_id.is_(None), events.c.kind == sa.literal_column(f"'{Kind.REPAIRED.value}'")
    )
)


def named_by(queries: Queries, since: datetime | None = None) -> Names:
    """Return the hashes of the checkpoints that events name, by number; one that was named twice has the empty hash.

    With `since`, of the events from that time on: who writes waits behind this.
    """
    at = 0 if since is None else to_us(since)
    return _names(str(row[0]) for row in queries.rows(_NAMED, {"b_since": at}))


def repaired_at(queries: Queries) -> datetime | None:
    """Return when the database was repaired last: what was lost by then, nobody took away."""
    row = queries.row(_REPAIRED)
    moment: datetime | None = None if row is None else from_us(row[0])
    return moment


def named_in(log: EventLog) -> Names:
    """Return the same from a log that is open for reading."""
    return log.readers.read(named_by)


def _names(details: Iterable[str]) -> Names:
    found: dict[int, str] = {}
    for detail in details:
        try:
            told = json.loads(detail)
            number, digest = int(told["number"]), str(told["digest"])
        except (ValueError, KeyError, TypeError):
            continue  # somebody altered it; the walk of the chain names it
        found[number] = digest if found.get(number, digest) == digest else ""
    return found
