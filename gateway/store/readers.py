"""Reads on threads and connections of their own: they see the last commit and never wait for the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from gateway.store.errors import StoreUnavailable
from gateway.store.failures import is_damaged, is_unavailable, unavailable
from gateway.store.sqlite import READERS
from gateway.store.tx import Queries

T = TypeVar("T")


class Readers:
    """A small pool of reading threads. `told` hears of every failure, on the thread that met it."""

    def __init__(
        self, engine: sa.Engine, told: Callable[[StoreUnavailable], None] = lambda error: None
    ) -> None:
        self._engine = engine
        self._told = told
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    async def run(self, read: Callable[[Queries], T]) -> T:
        """Run `read` in one read transaction (one snapshot) off the event loop; raises StoreUnavailable."""
        try:
            reading = self._threads.submit(self.read, read)
        except RuntimeError as error:  # the threads were shut down
            raise StoreUnavailable("the store is closed") from error
        return await asyncio.wrap_future(reading)

    def read(self, read: Callable[[Queries], T]) -> T:
        """Do the same on the calling thread."""
        try:
            try:
                return self._once(read)
            except Exception as error:
                if not is_damaged(error):
                    raise
            self._engine.dispose()  # a disk that failed for a moment leaves pages that look like damage
            return self._once(read)
        except Exception as error:
            if is_unavailable(error):
                made = unavailable(error, "the database cannot be read")
                self._told(made)
                raise made from error
            raise

    def _once(self, read: Callable[[Queries], T]) -> T:
        with self._engine.connect() as connection:
            transaction = connection.begin()
            queries = Queries(connection)
            try:
                return read(queries)
            finally:
                queries.close()
                transaction.rollback()  # nothing was written; a COMMIT fails where a read met damage

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()
