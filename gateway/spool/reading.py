"""What the spool knows, read without waiting for commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.spool import absences, look_rows
from gateway.spool.attendance import approvers_of
from gateway.spool.freeze_rows import read_freeze
from gateway.spool.freezes import frozen_rows
from gateway.spool.holds import recipients_of
from gateway.spool.lifecycle import State
from gateway.spool.ranges import from_ranges
from gateway.spool.records import MessageRow, shown
from gateway.spool.second_look import SOMEBODY, asks_people
from gateway.spool.statements import (
    BODY,
    CANCELS_BY_ADMIN,
    COUNT_NOTICES,
    FIRST_HELD,
    FIRST_MOVING,
    HELD_MESSAGES,
    MESSAGE,
    NEWEST_EVENT,
    TALLIES,
)
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Figures, Stored
from gateway.store.bodies import Body
from gateway.store.tx import Queries

_SOMEBODY = to_us(SOMEBODY)
_BEHIND_ALL = "Z" * 17  # sorts behind every queue id, in every locale that a database may have


def get(queue_id: str) -> Callable[[Queries], Stored | None]:
    """Return one message with all its recipients, or None."""

    def read(queries: Queries) -> Stored | None:
        row = queries.row(MESSAGE, {"b_queue_id": queue_id})
        return None if row is None else _with_absences(queries, _with_looks(queries, row))

    return read


def body(queue_id: str) -> Callable[[Queries], Body | None]:
    """Return the row of a message's body, or None."""

    def read(queries: Queries) -> Body | None:
        row = queries.row(BODY, {"b_queue_id": queue_id})
        return None if row is None else Body(*row)

    return read


def held(limit: int, before: str | None) -> Callable[[Queries], list[Stored]]:
    """Return messages with a held recipient, newest first."""

    def read(queries: Queries) -> list[Stored]:
        rows = queries.rows(HELD_MESSAGES, {"b_before": before or _BEHIND_ALL, "b_limit": limit})
        return [_with_looks(queries, row) for row in rows]

    return read


def _with_looks(queries: Queries, row: tuple[Any, ...]) -> Stored:
    """Return the message with what people gave, if it asks people at all, and whether somebody froze it."""
    rows = recipients_of(queries, row[0])
    message = shown(MessageRow(*row), rows)
    if frozen_rows(rows):
        known = read_freeze(queries, message.queue_id)
        message = replace(message, frozen=None if known is None else known.freeze)
    if message.unreadable or not asks_people(message.decision):
        return message
    looks = look_rows.read(queries, message.queue_id, message.decision, message.received_at)
    return replace(message, looks=looks.looks, waiver=looks.waiver, stays=looks.stays)


def _with_absences(queries: Queries, message: Stored) -> Stored:
    """Return the message with when its approvers are away, while it waits for some."""
    waiting = [look for look in message.looks if look.due_at is not None]
    people = {each.address for look in waiting for each in approvers_of(look)}
    if not people:
        return message
    return replace(message, absences=absences.known(queries, people, to_us(message.received_at)))


def next_due(queries: Queries) -> datetime | None:
    """Return when the first held, queued or deferred recipient is due."""
    first = [row[0] for row in (queries.row(FIRST_HELD), queries.row(FIRST_MOVING)) if row is not None]
    earliest = min(first, default=_SOMEBODY)
    return from_us(earliest) if earliest < _SOMEBODY else None


def figures(now: datetime) -> Callable[[Queries], Figures]:
    """Return counts by state; the oldest due time only where it has passed."""

    def read(queries: Queries) -> Figures:
        due = next_due(queries)
        return Figures(
            by_state={State(state): int(count) for state, count in queries.rows(TALLIES)},
            oldest_due=due if due is not None and due <= now else None,
            pending_notices=int(queries.row(COUNT_NOTICES)[0]),
        )

    return read


def cancels_by_admin(after: int | None, node: str = "") -> Callable[[Queries], tuple[int, int]]:
    """Return the number of a chain's newest event, and how many recipients an admin cancelled in it since event `after`.

    `sekisho held` acts in a process of its own; the log is where the service sees it. None counts from now on.
    """

    def read(queries: Queries) -> tuple[int, int]:
        head = queries.row(NEWEST_EVENT, {"b_node": node})
        newest = int(head[0]) if head is not None else 0
        between = {"b_after": newest if after is None else after, "b_newest": newest}
        rows = queries.rows(CANCELS_BY_ADMIN, {"b_node": node, **between})
        return newest, sum(len(from_ranges(ranges)) for (ranges,) in rows)

    return read
