"""Reads on threads and connections of their own: they see the last commit and never wait for the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from gateway.store.errors import StoreUnavailable
from gateway.store.failures import is_unavailable
from gateway.store.sqlite import READERS
from gateway.store.tx import Queries

T = TypeVar("T")


class Readers:
    """A small pool of reading threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
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
            with self._engine.begin() as connection:
                queries = Queries(connection)
                try:
                    return read(queries)
                finally:
                    queries.close()
        except Exception as error:
            if is_unavailable(error):
                raise StoreUnavailable(f"the database cannot be read: {error}") from error
            raise

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()
