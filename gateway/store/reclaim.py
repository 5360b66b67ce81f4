"""Gives the room of dead bodies back: a segment without a live body is deleted, one that is mostly dead is rewritten.

A body is moved by writing it to a segment of our own, syncing that, and then changing its row by compare-and-set; the old
segment goes only when no row points to it any more. Wherever this is cut off, each row has its octets. So no more than as much
dead as live data stays in closed segments, and one segment of `SEGMENT_BYTES` for each living writer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.store.committer import Committer
from gateway.store.errors import BodyDamaged, BodyRefused
from gateway.store.readers import Readers
from gateway.store.schema import bodies
from gateway.store.segments import Segments
from gateway.store.spots import Spot
from gateway.store.tx import Prepared, Queries, Tx

T = TypeVar("T")

ALIVE_SHARE = 2  # a segment of which less than one in so many octets is alive is rewritten
MOVES = 256  # bodies moved in one round: bounds how long the housekeeping's other work waits

_B = bodies.c
_IN = _B.segment == bindparam("b_segment")
_LIVE = Prepared(sa.select(sa.func.coalesce(sa.func.sum(_B.length), 0)).where(_IN))
_NEXT = Prepared(
    sa.select(_B.queue_id, _B.start, _B.length)
    .where(_IN)
    .order_by(_B.queue_id)
    .limit(bindparam("b_limit", type_=sa.Integer))
)
_MOVE = Prepared(
    bodies.update()
    .where(_B.queue_id == bindparam("b_queue_id"), _IN, _B.start == bindparam("b_start"))
    .values(segment=bindparam("b_to"), start=bindparam("b_at"))
)


class Aside(Protocol):
    """Runs work on a thread."""

    def __call__(self, work: Callable[..., T], *arguments: object) -> Awaitable[T]: ...


def remove_dead(segments: Segments, readers: Readers) -> int:
    """Delete the segments that no row points to and nobody writes; return how many."""
    return sum(_removed(segments, readers, name) for name in segments.names())


async def rewrite_sparse(segments: Segments, readers: Readers, committer: Committer, aside: Aside) -> int:
    """Move live bodies out of segments that are mostly dead; return how many. Raises StoreUnavailable."""
    moved = 0
    for name in await aside(segments.names):
        with segments.at_rest(name) as size:
            live = await readers.run(_live(name)) if size else 0
            if not size or not live or live * ALIVE_SHARE >= size:
                continue
            for queue_id, spot in await readers.run(_next(name, MOVES - moved)):
                moved += await _moved(segments, committer, aside, queue_id, spot)
        if moved >= MOVES:
            break
    return moved


def _removed(segments: Segments, readers: Readers, name: str) -> bool:
    with segments.at_rest(name) as size:  # before the look at the rows: no new one can come behind it
        if size is None or readers.read(_live(name)):
            return False
        return segments.remove(name)


async def _moved(segments: Segments, committer: Committer, aside: Aside, queue_id: str, spot: Spot) -> int:
    """Move one body as it is, sealed; one that cannot be read stays, and its segment with it, until it is purged."""
    try:
        octets = await aside(segments.read, spot)
    except (BodyDamaged, BodyRefused):
        return 0
    pending = await aside(segments.write, [octets], len(octets))
    try:
        return await committer.run(lambda tx: _point(tx, queue_id, spot, pending.spot), pending)
    except Exception as error:
        if not getattr(error, "uncertain", False):
            segments.release(pending)  # also where the committer never took it
        raise


def _point(tx: Tx, queue_id: str, was: Spot, now: Spot) -> int:
    moved = {"b_queue_id": queue_id, "b_segment": was.segment, "b_start": was.start}
    return tx.run(_MOVE, {**moved, "b_to": now.segment, "b_at": now.start})


def _live(name: str) -> Callable[[Queries], int]:
    """Return how many octets of a segment are alive."""
    return lambda queries: int(queries.row(_LIVE, {"b_segment": name})[0])


def _next(name: str, limit: int) -> Callable[[Queries], Sequence[tuple[str, Spot]]]:
    bound = {"b_segment": name, "b_limit": limit}
    return lambda queries: [(row[0], Spot(name, row[1], row[2])) for row in queries.rows(_NEXT, bound)]
