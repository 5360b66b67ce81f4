"""A question about held mail as conditions on `listings`. Pure: it makes SQL, and runs none.

Texts are looked for with the database's own search for a part of a text, not with LIKE: no sign in what somebody types has a
meaning, and it reads each row once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from gateway.spool.list_contract import HeldQuestion, Order
from gateway.spool.list_cursors import Place
from gateway.spool.listing import BITS, folded, name_in, tokens
from gateway.spool.times import to_us
from gateway.store.events import storable
from gateway.store.list_tables import listing_names, listings

MAX_WORDS = 8  # words of one search; more are left out
MAX_WORD = 320  # characters of a word: the longest address

_L = listings.c
# Queue ids sort by the time of acceptance, and the table lies in their order: the newest page reads no more than a page.
_KEYS: dict[Order, Any] = {Order.RECEIVED: _L.queue_id, Order.DUE: _L.due_at, Order.SENDER: _L.sender}

Condition = sa.ColumnElement[bool]


def conditions(question: HeldQuestion, dialect: str) -> list[Condition] | None:
    """Return what must hold of a row; None where nothing can."""
    scopes = [question.scope, *([question.within] if question.within is not None else [])]
    found = list[Condition]()
    for scope in scopes:
        if scope.everything:
            continue
        names = tokens(scope)
        if not names:
            return None
        found.append(_named(names))
    return [*found, *_filters(question, dialect)]


def order_of(question: HeldQuestion) -> list[Any]:
    """Return how rows are sorted: always without a doubt about which comes first."""
    columns = list(dict.fromkeys((_KEYS[question.order], _L.queue_id)))
    return [sa.desc(column) if question.descending else column for column in columns]


def passed(question: HeldQuestion, place: Place) -> Condition:
    """Return the condition of what comes behind a line."""
    if question.order is Order.RECEIVED:
        return _L.queue_id < place.queue_id if question.descending else _L.queue_id > place.queue_id
    here = sa.tuple_(_KEYS[question.order], _L.queue_id)
    there = sa.tuple_(sa.literal(place.key), sa.literal(place.queue_id))
    return here < there if question.descending else here > there


def key_of(question: HeldQuestion, row: Any) -> Place:
    """Return a row's place in the order."""
    key = {Order.RECEIVED: row.queue_id, Order.DUE: row.due_at, Order.SENDER: row.folded_sender}
    return Place(key[question.order], row.queue_id)


def _filters(question: HeldQuestion, dialect: str) -> Iterator[Condition]:
    if question.since is not None:
        yield _L.received_at >= to_us(question.since)
    if question.until is not None:
        yield _L.received_at < to_us(question.until)
    if question.waits is not None:
        yield _L.waits.op("&")(BITS[question.waits]) != 0
    if question.without:
        yield _L.waits.op("&")(sum(BITS[kind] for kind in question.without)) == 0
    if question.group:
        yield _named([f"g:{question.group}"])
    if question.rule:
        yield _has(_L.rules, name_in(question.rule), dialect)
    if question.sender:
        yield _has(_L.sender, folded(question.sender[:MAX_WORD]), dialect)
    if question.recipient:
        yield _has(_L.people, folded(question.recipient[:MAX_WORD]), dialect)
    for word in question.words.split()[:MAX_WORDS]:
        wanted = folded(word[:MAX_WORD])
        yield sa.or_(*[_has(column, wanted, dialect) for column in (_L.subject, _L.sender, _L.people)])


def _named(names: Sequence[str]) -> Condition:
    mine = sa.select(listing_names.c.queue_id).where(listing_names.c.name.in_([storable(n) for n in names]))
    return _L.queue_id.in_(mine)


def _has(column: Any, part: str, dialect: str) -> Condition:
    search = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    return search(column, part) > 0
