"""Past mail as it was decided: envelope, decision and recorded facts, oldest first. Reads only, needs no key, no body.

A mail without a record, or one that cannot be read, is told as such: who tries a policy on the past must know how much of it
was not seen. Pages are small because one row may hold 40,000 recipients; each is a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.message.facts import Facts
from gateway.policy.copies import as_handed_in
from gateway.policy.decision import Decision
from gateway.spool.lifecycle import Kind
from gateway.spool.mail_json import facts_of, parsed
from gateway.spool.queue_ids import floor
from gateway.spool.times import from_us, to_us
from gateway.store.database import FILE_NAME, engines
from gateway.store.errors import StoreUnavailable
from gateway.store.readers import Readers
from gateway.store.schema import events, messages
from gateway.store.where import Where
from gateway.values import dataclass

PAGE = 20  # mails read at once: of 40,000 recipients each, some 60 MiB

_M = messages.c
_COLUMNS = (_M.queue_id, _M.received_at, _M.subject, _M.size_bytes, _M.envelope, _M.decision, _M.facts)


@dataclass(frozen=True, slots=True)
class PastMail:
    """A mail that was accepted: what was decided then, and from which facts."""

    queue_id: str
    received_at: datetime
    facts: Facts
    decision: Decision


@dataclass(frozen=True, slots=True)
class NoFacts:
    """A mail of which nothing can be tried again; `cause` is empty where nobody recorded its facts."""

    queue_id: str
    received_at: datetime
    cause: str = ""


class Past:
    """The mails of one store; a context manager. Raises StoreUnavailable where there is no database."""

    def __init__(self, where: Where) -> None:
        if not where.url and not (where.state / FILE_NAME).is_file():
            raise StoreUnavailable(f"no database in {where.state}")
        self._readers = Readers(engines(where)[1])

    def __enter__(self) -> Past:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.close()

    def mails(self, since: datetime, until: datetime) -> Iterator[PastMail | NoFacts]:
        """Yield every mail that was accepted from `since` on and before `until`, but those the gateway wrote itself."""
        behind = floor(since)
        while rows := self._rows(_page(behind, since, until)):
            yield from map(_past, rows)
            behind = rows[-1][0]

    def refused(self, since: datetime, until: datetime) -> int:
        """Return how many mails were refused in that time: nothing of them is kept that could be tried again."""
        count = sa.select(sa.func.count()).select_from(events)
        between = events.c.at >= to_us(since), events.c.at < to_us(until)
        return int(self._rows(count.where(events.c.kind == Kind.REFUSED.value, *between))[0][0])

    def _rows(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        return self._readers.read(
            lambda queries: [tuple(row) for row in queries.connection.execute(statement)]
        )


def _page(behind: str, since: datetime, until: datetime) -> sa.Select[Any]:
    """Select the next mails in the order of their ids, which is that of time; no id is below its mail's time."""
    wanted = _M.from_gateway == 0, _M.received_at >= to_us(since), _M.received_at < to_us(until)
    return sa.select(*_COLUMNS).where(_M.queue_id > behind, *wanted).order_by(_M.queue_id).limit(PAGE)


def _past(row: tuple[Any, ...]) -> PastMail | NoFacts:
    queue_id, received_at, subject, size_bytes, envelope, decision, facts = row
    at = from_us(received_at)
    if facts is None:
        return NoFacts(queue_id, at)
    try:
        sent, decided = as_handed_in(*parsed(envelope, decision))
        return PastMail(queue_id, at, facts_of(facts, sent, subject, size_bytes), decided)
    except Exception as error:  # whatever a row holds: one mail must not hide all others
        return NoFacts(queue_id, at, f"{type(error).__name__}: {error}")
