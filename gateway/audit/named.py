"""What the chains tell of checkpoints: an event names each by number and hash, hashed and sealed like any other event.

So who can write the database cannot put a checkpoint, or a signing key, of his own in the place of ours, nor take one away:
the events contradict it. Events from before a cut are gone, and what they named with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from gateway.audit.log import EventLog
from gateway.spool.lifecycle import Kind
from gateway.store.schema import events
from gateway.store.tx import Prepared, Queries

Names = Mapping[int, str]

# Some hundred octets an hour for as long as the store exists; found by the index of `queue_id`, which they do not have.
_NAMED = Prepared(
    sa.select(events.c.detail).where(
        events.c.queue_id.is_(None), events.c.kind == sa.literal_column(f"'{Kind.CHECKPOINT.value}'")
    )
)


def named_by(queries: Queries) -> Names:
    """Return the hashes of all checkpoints that events name, by number; one that was named twice has the empty hash."""
    return _names(str(row[0]) for row in queries.rows(_NAMED))


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
