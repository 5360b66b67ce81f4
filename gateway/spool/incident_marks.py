"""Whether a mail is known to have gone to the wrong people: what its report and its digest say of that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import bindparam, select

from gateway.spool.times import from_us
from gateway.store.incident_tables import incidents
from gateway.store.tx import Prepared, Queries

_OPENED = Prepared(select(incidents.c.opened_at).where(incidents.c.queue_id == bindparam("b_queue_id")))


def incident_of(queue_id: str) -> Callable[[Queries], datetime | None]:
    """Return the job that tells when an incident was opened about a mail; None where none was."""

    def job(queries: Queries) -> datetime | None:
        row = queries.row(_OPENED, {"b_queue_id": queue_id})
        return None if row is None else from_us(row[0])

    return job
