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
from gateway.store.database import FILE_NAME
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Head
from gateway.store.readers import Readers
from gateway.store.schema import chain, events
from gateway.store.sqlite import reader_engine

PAGE = 1_000  # events read at once while streaming

Row = tuple[object, ...]
_E = events.c


class EventLog:
    """The events of one state directory; a context manager. Raises StoreUnavailable where there is no database."""

    def __init__(self, state: Path) -> None:
        path = state / FILE_NAME
        if not path.is_file():
            raise StoreUnavailable(f"no database in {state}")
        self._readers = Readers(reader_engine(path))

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.close()

    def query(self, question: Question) -> list[Entry]:
        """Return at most `question.limit` (and MAX_LIMIT) matching events, oldest first."""
        statement = _matching(question).limit(max(0, min(question.limit, MAX_LIMIT)))
        return [Entry.of(row) for row in self._rows(statement)]

    def stream(self, question: Question) -> Iterator[Entry]:
        """Yield all matching events, oldest first, whatever the question's limit."""
        page = replace(question, limit=PAGE)
        while entries := self.query(page):
            yield from entries
            page = replace(page, after=entries[-1].seq)

    def rows_after(self, seq: int, limit: int = PAGE) -> list[Row]:
        """Return raw rows behind `seq` in order, for the verification of the chain."""
        return self._rows(sa.select(events).where(_E.seq > seq).order_by(_E.seq).limit(limit))

    def head(self) -> tuple[Head, bytes] | None:
        """Return the sealed head of the chain and its seal."""
        rows = self._rows(sa.select(chain.c.seq, chain.c.hash, chain.c.seal))
        return (Head(int(str(rows[0][0])), bytes(rows[0][1])), bytes(rows[0][2])) if rows else None  # type: ignore[call-overload]

    def _rows(self, statement: sa.Select[tuple[object, ...]]) -> list[Row]:
        return self._readers.read(
            lambda queries: [tuple(row) for row in queries.connection.execute(statement)]
        )


def _matching(question: Question) -> sa.Select[tuple[object, ...]]:
    conditions = [_E.seq > question.after]
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
    return sa.select(events).where(*conditions).order_by(_E.seq)


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
