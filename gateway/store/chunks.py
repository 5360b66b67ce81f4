"""Large bodies where nodes share no disk: one row for each sealed frame, committed before the body's own row.

As with files, a row always has its chunks; chunks that a crash left without a row are swept when they are old. Written and
read frame by frame on connections of their own, so that neither the committer nor memory carries a whole sealed body.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from gateway.store.errors import BodyDamaged, StoreUnavailable
from gateway.store.failures import is_full, is_unavailable
from gateway.store.schema import bodies, body_chunks
from gateway.store.tx import Prepared

CHUNKS = "chunks"
ORPHANED_AFTER = timedelta(hours=1)  # no accept takes so long between its chunks and its row

_C = body_chunks.c
_NOW = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"
_GIVEN: dict[str, sa.ColumnElement[Any]] = {
    name: sa.bindparam(name) for name in ("queue_id", "number", "data")
}
_INSERT = Prepared(body_chunks.insert().values(_GIVEN | {"written_at": sa.literal_column(_NOW)}))


class Chunks:
    """Keeps the frames of large bodies in the database that `engine` opens."""

    place = CHUNKS

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def write(self, queue_id: str, frames: Iterator[bytes]) -> None:
        """Store the frames, durably on return; raises StoreUnavailable."""
        try:
            with self._engine.begin() as connection:
                sql, own = _INSERT.compiled(connection.dialect)
                with contextlib.closing(connection.connection.cursor()) as cursor:
                    for number, frame in enumerate(frames):
                        cursor.execute(sql, {**own, "queue_id": queue_id, "number": number, "data": frame})
        except Exception as error:
            raise _explained(error, f"the body of message {queue_id} cannot be written") from error

    def read(self, queue_id: str) -> bytes:
        """Return all frames as one; raises BodyDamaged where there is none, StoreUnavailable."""
        chosen = sa.select(_C.data).where(_C.queue_id == queue_id).order_by(_C.number)
        try:
            with self._engine.begin() as connection:
                found = [bytes(row.data) for row in connection.execute(chosen)]
        except Exception as error:
            raise _explained(error, f"the body of message {queue_id} cannot be read") from error
        if not found:
            raise BodyDamaged(f"the chunks of message {queue_id} are missing")
        return b"".join(found)

    def discard(self, queue_id: str) -> None:
        """Delete a body's chunks; failing to is left to `sweep`."""
        with contextlib.suppress(sa.exc.DBAPIError, StoreUnavailable), self._engine.begin() as connection:
            connection.execute(body_chunks.delete().where(_C.queue_id == queue_id))

    def set_aside(self, queue_id: str) -> None:
        """Keep damaged chunks where they are: only retention deletes them."""

    def keep_aside(self, queue_id: str, octets: bytes) -> None:
        """Chunks stay where they are: nothing lies elsewhere."""

    def sweep(self, _known: Callable[[Collection[str]], Collection[str]], _before: float) -> int:
        """Delete chunks that no body's row wants and that are too old to be waiting for theirs."""
        wanted = sa.select(bodies.c.queue_id).where(
            bodies.c.queue_id == _C.queue_id, bodies.c.place != sa.literal_column("'purged'")
        )
        old: sa.ColumnClause[int] = sa.literal_column(
            f"{_NOW} - {ORPHANED_AFTER // timedelta(microseconds=1)}"
        )
        with self._engine.begin() as connection:
            return connection.execute(
                body_chunks.delete().where(_C.written_at < old, ~wanted.exists())
            ).rowcount

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _explained(error: Exception, what: str) -> Exception:
    if isinstance(error, StoreUnavailable) or not is_unavailable(error):
        return error
    return StoreUnavailable(f"{what}: {error}", full=is_full(error))
