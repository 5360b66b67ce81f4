"""The read side of the event log. It opens the database for reading only and needs no key.

Answers are bounded; `stream` pages through any number of events in bounded memory, each page in a transaction of its own, so
that a long export holds up neither the service nor its checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from gateway.audit.entries import MAX_LIMIT, Entry, Question, microseconds
from gateway.audit.fitting import fits, hints
from gateway.store.database import FILE_NAME, engines
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Head, storable
from gateway.store.readers import Readers
from gateway.store.schema import chain, chain_list, events
from gateway.store.where import Where

PAGE = 1_000  # events read at once while streaming

Row = tuple[object, ...]
_E = events.c
REMEMBERED = 10_000  # mails whose fitting is kept in mind while events are read: a few MiB

# In the order in which the hash covers them.
_COLUMNS = tuple(column for column in _E if column.name != "node")


class EventLog:
    """The events of one store; a context manager. Raises StoreUnavailable where there is no database."""

    def __init__(self, where: Path | Where) -> None:
        place = where if isinstance(where, Where) else Where(where)
        if not place.url and not (place.state / FILE_NAME).is_file():
            raise StoreUnavailable(f"no database in {place.state}")
        self.readers = Readers(engines(place)[1])
        self._own = True

    @classmethod
    def over(cls, readers: Readers) -> EventLog:
        """Return the log of a store that is open already; who opened it closes it."""
        log = cls.__new__(cls)
        log.readers, log._own = readers, False
        return log

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self.readers.close()

    def query(self, question: Question) -> list[Entry]:
        """Return at most `question.limit` (and MAX_LIMIT) matching events: one chain by number, several together by time."""
        wanted = max(0, min(question.limit, MAX_LIMIT))
        return list(islice(self.stream(question, min(PAGE, wanted + 1)), wanted))

    def stream(self, question: Question, page: int = PAGE) -> Iterator[Entry]:
        """Yield all matching events, oldest first, whatever the question's limit; reads `page` of them at once."""
        several = question.node is None and len(self.nodes()) > 1
        fitting = Fitting(self, question)
        while rows := self.rows(_matching(question, several).limit(page)):
            entries = [Entry.of(row) for row in rows]
            yield from (entry for entry in entries if fitting.fits(entry))
            question = replace(question, behind=place_of(entries[-1]))

    def accepted(self, queue_id: str) -> Entry | None:
        """Return the event with which a mail came."""
        chosen = sa.select(*_COLUMNS, _E.node).where(_E.queue_id == queue_id, _E.kind == "accepted")
        rows = self.rows(chosen.limit(1))
        return Entry.of(rows[0]) if rows else None

    def about(self, queue_id: str, limit: int) -> list[Entry]:
        """Return the first events of one mail, in the order of time."""
        chosen = sa.select(*_COLUMNS, _E.node).where(_E.queue_id == storable(queue_id))
        return [Entry.of(row) for row in self.rows(chosen.order_by(_E.at, _E.node, _E.seq).limit(limit))]

    def nodes(self) -> list[str]:
        """Return the names of all chains that have a head, or an event."""
        headed = {str(row[0]) for row in self.rows(sa.select(chain.c.node))}
        found = self.rows(sa.select(_E.node).distinct())
        return sorted(headed | {str(row[0]) for row in found})

    def rows_after(self, seq: int, limit: int = PAGE, node: str = "") -> list[Row]:
        """Return raw rows of a chain behind `seq` in order, for its verification."""
        chosen = sa.select(*_COLUMNS).where(_E.node == node, _E.seq > seq)
        return self.rows(chosen.order_by(_E.seq).limit(limit))

    def head(self, node: str = "") -> tuple[Head, bytes] | None:
        """Return the sealed head of a chain and its seal."""
        rows = self.rows(sa.select(chain.c.seq, chain.c.hash, chain.c.seal).where(chain.c.node == node))
        if not rows:
            return None
        seq, hash_, seal = rows[0]
        return Head(int(str(seq)), bytes(hash_), node), bytes(seal)  # type: ignore[call-overload]

    def chain_list(self) -> tuple[str, bytes] | None:
        """Return the list of chains as it was sealed, and its seal."""
        rows = self.rows(sa.select(chain_list.c.nodes, chain_list.c.seal))
        return (str(rows[0][0]), bytes(rows[0][1])) if rows else None  # type: ignore[call-overload]

    def rows(self, statement: sa.Select[tuple[object, ...]]) -> list[Row]:
        """Return what a statement of this room finds, in a transaction of its own."""
        return self.readers.read(
            lambda queries: [tuple(row) for row in queries.connection.execute(statement)]
        )


class Fitting:
    """Whether events fit what is asked of their mails, exactly; looks each mail's acceptance up once."""

    def __init__(self, log: EventLog, question: Question) -> None:
        self._log = log
        self._question = question
        self._known: OrderedDict[str, bool] = OrderedDict()

    def fits(self, entry: Entry) -> bool:
        """Tell whether this event's mail is one of those asked for; an event without a mail only fits what asks for none."""
        if not self._question.of_mails:
            return True
        if entry.kind in ("accepted", "refused"):
            return fits(entry.detail, self._question)
        return entry.queue_id is not None and self._of_mail(entry.queue_id)

    def _of_mail(self, queue_id: str) -> bool:
        known = self._known.get(queue_id)
        if known is None:
            accepted = self._log.accepted(queue_id)
            known = accepted is not None and fits(accepted.detail, self._question)
            self._known[queue_id] = known
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known


def place_of(entry: Entry) -> tuple[int, str, int]:
    """Return where an event stands among those of all chains."""
    return microseconds(entry.at), entry.node, entry.seq


def _matching(question: Question, several: bool) -> sa.Select[tuple[object, ...]]:
    place = (_E.at, _E.node, _E.seq) if several else (_E.seq,)
    conditions = [_E.seq > question.after] if question.after else []
    if question.behind is not None:
        conditions.append(sa.tuple_(*place) > sa.tuple_(*question.behind[-len(place) :]))
    conditions += [*in_time(question), *_of_event(question)]
    if question.of_mails:
        said = said_by(_E.detail, question)
        mails = sa.select(_E.queue_id).where(_E.kind == "accepted", *said)
        conditions.append(sa.or_(_E.queue_id.in_(mails), sa.and_(_E.kind == "refused", *said)))
    return sa.select(*_COLUMNS, _E.node).where(*conditions).order_by(*place)


def in_time(question: Question) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions on the time of an event."""
    if question.since is not None:
        yield _E.at >= microseconds(question.since)
    if question.until is not None:
        yield _E.at < microseconds(question.until)


def said_by(detail: sa.ColumnElement[str], question: Question) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on the text of an acceptance's detail that find all mails asked for, and perhaps others."""
    text = sa.func.lower(detail)
    return [
        sa.or_(sa.false(), *[text.contains(piece.lower(), autoescape=True) for piece in pieces])
        for pieces in hints(question)
    ]


def _of_event(question: Question) -> Iterator[sa.ColumnElement[bool]]:
    if question.node is not None:
        yield _E.node == question.node
    if question.queue_id is not None:
        yield _E.queue_id == question.queue_id
    yield from done(events, question)


def done(table: sa.FromClause, question: Question) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions on what an event says was done, why and by whom."""
    if question.kinds:
        yield table.c.kind.in_(question.kinds)
    if question.reasons:
        yield table.c.reason.in_(question.reasons)
    if question.actor is not None:
        name = sa.func.lower(table.c.actor_name)
        yield name.contains(storable(question.actor.lower()), autoescape=True)
