"""Statements about single mails for the pages: the event log read and checked in a thread, beside the service's own work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.audit.log import EventLog
from gateway.audit.testimony import testify
from gateway.clock import utc_now
from gateway.spool.testimony import Testimony
from gateway.store.database import Database, event_seal


def prover(database: Database) -> Callable[[str], Awaitable[Testimony]]:
    """Return what makes a statement about a queue id, checked under the master key in force; raises StoreUnavailable."""

    def made(queue_id: str) -> Testimony:
        with EventLog(database.where) as log:
            return testify(log, queue_id, event_seal(database.master), utc_now())

    async def prove(queue_id: str) -> Testimony:
        return await asyncio.to_thread(made, queue_id)

    return prove
