"""The read side of the event log. It opens the database for reading only and needs no key.

Answers are bounded; `stream` pages through any number of events in bounded memory, each page in a transaction of its own, so
that a long export holds up neither the service nor its checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from gateway.audit.entries import MAX_LIMIT, Entry, Question, microseconds
from gateway.store.database import FILE_NAME, engines
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Head
from gateway.store.readers import Readers
from gateway.store.schema import chain, chain_list, events
from gateway.store.where import Where

PAGE = 1_000  # events read at once while streaming

Row = tuple[object, ...]
_E = events.c
# In the order in which the hash covers them.
_COLUMNS = tuple(column for column in _E if column.name != "node")


class EventLog:
    """The events of one store; a context manager. Raises StoreUnavailable where there is no database."""

    def __init__(self, where: Path | Where) -> None:
        place = where if isinstance(where, Where) else Where(where)
        if not place.url and not (place.state / FILE_NAME).is_file():
            raise StoreUnavailable(f"no database in {place.state}")
        self._readers = Readers(engines(place)[1])

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.close()

    def query(self, question: Question) -> list[Entry]:
        """Return at most `question.limit` (and MAX_LIMIT) matching events: one chain by number, several together by time."""
        several = question.node is None and len(self.nodes()) > 1
        statement = _matching(question, several).limit(max(0, min(question.limit, MAX_LIMIT)))
        return [Entry.of(row) for row in self._rows(statement)]

    def stream(self, question: Question) -> Iterator[Entry]:
        """Yield all matching events, oldest first, whatever the question's limit."""
        page = replace(question, limit=PAGE)
        while entries := self.query(page):
            yield from entries
            last = entries[-1]
            page = replace(page, behind=(microseconds(last.at), last.node, last.seq))

    def nodes(self) -> list[str]:
        """Return the names of all chains that have a head, or an event."""
        headed = {str(row[0]) for row in self._rows(sa.select(chain.c.node))}
        found = self._rows(sa.select(_E.node).distinct())
        return sorted(headed | {str(row[0]) for row in found})

    def rows_after(self, seq: int, limit: int = PAGE, node: str = "") -> list[Row]:
        """Return raw rows of a chain behind `seq` in order, for its verification."""
        chosen = sa.select(*_COLUMNS).where(_E.node == node, _E.seq > seq)
        return self._rows(chosen.order_by(_E.seq).limit(limit))

    def head(self, node: str = "") -> tuple[Head, bytes] | None:
        """Return the sealed head of a chain and its seal."""
        rows = self._rows(sa.select(chain.c.seq, chain.c.hash, chain.c.seal).where(chain.c.node == node))
        if not rows:
            return None
        seq, hash_, seal = rows[0]
        return Head(int(str(seq)), bytes(hash_), node), bytes(seal)  # type: ignore[call-overload]

    def chain_list(self) -> tuple[str, bytes] | None:
        """Return the list of chains as it was sealed, and its seal."""
        rows = self._rows(sa.select(chain_list.c.nodes, chain_list.c.seal))
        return (str(rows[0][0]), bytes(rows[0][1])) if rows else None  # type: ignore[call-overload]

    def _rows(self, statement: sa.Select[tuple[object, ...]]) -> list[Row]:
        return self._readers.read(
            lambda queries: [tuple(row) for row in queries.connection.execute(statement)]
        )


def _matching(question: Question, several: bool) -> sa.Select[tuple[object, ...]]:
    place = (_E.at, _E.node, _E.seq) if several else (_E.seq,)
    conditions = [_E.seq > question.after] if question.after else []
    if question.behind is not None:
        conditions.append(sa.tuple_(*place) > sa.tuple_(*question.behind[-len(place) :]))
    if question.node is not None:
        conditions.append(_E.node == question.node)
    if question.since is not None:
        conditions.append(_E.at >= microseconds(question.since))
    if question.until is not None:
        conditions.append(_E.at < microseconds(question.until))
    if question.queue_id is not None:
        conditions.append(_E.queue_id == question.queue_id)
    if question.kinds:
        conditions.append(_E.kind.in_(question.kinds))
    if question.reasons:
        conditions.append(_E.reason.in_(question.reasons))
    conditions += [_of_mails(said) for said in _sayings(question)]
    return sa.select(*_COLUMNS, _E.node).where(*conditions).order_by(*place)


def _sayings(question: Question) -> Iterator[sa.ColumnElement[bool]]:
    if question.sender is not None:
        yield _says(f'"sender":{_json(question.sender)}')
    if question.recipient is not None:
        address = _json(question.recipient)  # as an element of a list; the sender stands behind a colon
        yield sa.or_(*[_says(f"{before}{address}{behind}") for before in "[," for behind in ",]"])
    if question.subject is not None:
        words = _json(question.subject)[1:-1].lower()
        behind = "".join("/" + c if c in "/%_" else c for c in words)
        yield sa.func.lower(_E.detail).like(f'%"subject":"%{behind}%', escape="/")


def _of_mails(said: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Match the events of mails whose ACCEPTED says so, and REFUSED ones, which have no queue id."""
    mails = sa.select(_E.queue_id).where(_E.kind == "accepted", said)
    return sa.or_(_E.queue_id.in_(mails), sa.and_(_E.kind == "refused", said))


def _says(part: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(_E.detail).contains(part.lower(), autoescape=True)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
