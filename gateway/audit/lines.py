"""The log as a list for people, newest first: one line for each mail, and for each event that is about no mail.

A line is an acceptance, or an event without a queue id (refused mail, people, policies, exports). What is asked of a mail's
later events (cancelled, by whom) is looked up through its queue id. An answer looks for PATIENCE_S and begins no new chunk
then, so it takes a bounded time in any log; it says how far back it looked, and `after` goes on there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from gateway.audit.entries import Entry, Question
from gateway.audit.fitting import fits
from gateway.audit.log import EventLog, done, in_time, place_of, said_by
from gateway.store.events import storable
from gateway.store.proof_tables import LINES
from gateway.store.schema import events
from gateway.values import dataclass

CHUNK = 10_000  # lines examined by one statement
MOST_EXAMINED = 1_000_000  # lines examined for one answer
PATIENCE_S = 2.0  # and no new chunk is begun after this: a slow disk, or a busy machine
MAX_LINES = 200  # in one answer: what a person can look through

_E = events.c
_COLUMNS = tuple(column for column in _E if column.name != "node")
_PLACE = (_E.at, _E.node, _E.seq)
_MOST_DIGITS = 19  # of a signed number of 64 bits

Place = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, newest first. `after` leads to older ones, empty where there are none.

    `searched_to` is set where the search stopped before it had found enough: older lines were not looked at yet.
    """

    lines: tuple[Entry, ...]
    after: str = ""
    searched_to: datetime | None = None


def lines(log: EventLog, question: Question, after: str = "") -> LogPage:
    """Return one page; raises ValueError for an `after` that is none of ours, StoreUnavailable."""
    wanted = max(1, min(question.limit, MAX_LINES))
    place, examined, found = read_place(after), 0, list[Entry]()
    began = time.monotonic()
    while True:
        edge = _edge(log, question, place)
        for entry in _between(log, question, place, edge):
            if len(found) == wanted:
                return LogPage(tuple(found), write_place(place_of(found[-1])))
            found.append(entry)
        if edge is None:
            return LogPage(tuple(found))
        place, examined = edge, examined + CHUNK
        if examined >= MOST_EXAMINED or time.monotonic() - began > PATIENCE_S:
            return LogPage(tuple(found), write_place(edge), _moment(edge[0]))


def all_lines(log: EventLog, question: Question) -> Iterator[Entry]:
    """Yield every line that fits, newest first, in bounded memory."""
    after, page = "", replace(question, limit=MAX_LINES)
    while True:
        answer = lines(log, page, after)
        yield from answer.lines
        if not answer.after:
            return
        after = answer.after


def write_place(place: Place) -> str:
    """Write a place in the list as text for an address."""
    at, node, seq = place
    return f"{at}.{seq}.{node}"


def read_place(text: str) -> Place | None:
    """Read what `write_place` wrote; None for the beginning. Raises ValueError."""
    if not text:
        return None
    at, seq, node = text.split(".", 2)
    if not all(part.isascii() and part.isdecimal() and len(part) < _MOST_DIGITS for part in (at, seq)):
        raise ValueError("not a place in the log")
    return int(at), node, int(seq)


def _edge(log: EventLog, question: Question, place: Place | None) -> Place | None:
    """Return where a chunk that begins behind `place` ends; None where it holds all that is left."""
    chosen = sa.select(*_PLACE).where(*_base(question), *_behind(place))
    rows = log.rows(chosen.order_by(*_newest_first()).offset(CHUNK - 1).limit(1))
    return (int(str(rows[0][0])), str(rows[0][1]), int(str(rows[0][2]))) if rows else None


def _between(log: EventLog, question: Question, place: Place | None, edge: Place | None) -> Iterator[Entry]:
    """Yield what fits between two places, the second included."""
    until = () if edge is None else (sa.tuple_(*_PLACE) >= sa.tuple_(*edge),)
    wanted = (*_base(question), *until, *_asked(question))
    while True:
        chosen = sa.select(*_COLUMNS, _E.node).where(*wanted, *_behind(place))
        rows = log.rows(chosen.order_by(*_newest_first()).limit(MAX_LINES))
        for row in rows:
            entry = Entry.of(row)
            if not question.of_mails or fits(entry.detail, question):
                yield entry
        if len(rows) < MAX_LINES:
            return
        place = place_of(Entry.of(rows[-1]))


def _base(question: Question) -> list[sa.ColumnElement[bool]]:
    node = [] if question.node is None else [_E.node == question.node]
    return [sa.text(LINES), *in_time(question), *node]  # type: ignore[list-item]


def _behind(place: Place | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if place is None else (sa.tuple_(*_PLACE) < sa.tuple_(*place),)


def _newest_first() -> tuple[sa.ColumnElement[object], ...]:
    return tuple(column.desc() for column in _PLACE)


def _asked(question: Question) -> Iterator[sa.ColumnElement[bool]]:
    if question.queue_id is not None:
        yield _E.queue_id == storable(question.queue_id)
    if question.of_mails:
        yield _E.kind.in_(("accepted", "refused"))
        yield from said_by(_E.detail, question)
    if question.kinds or question.reasons or question.actor is not None:
        later = events.alias("later")
        itself = sa.and_(*done(events, question))
        yield sa.or_(itself, sa.exists().where(later.c.queue_id == _E.queue_id, *done(later, question)))


def _moment(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
