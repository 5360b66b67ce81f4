"""What an error of either database means. PostgreSQL's driver is loaded only where it is used."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store import sqlite
from gateway.store.errors import StoreConflict, StoreDamaged, StoreUnavailable


def is_unavailable(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot work now (full, locked, away), not that our SQL is wrong."""
    if _of_postgres(error):
        from gateway.store import postgres

        return postgres.is_unavailable(error)
    return sqlite.is_unavailable(error)


def is_damaged(error: BaseException) -> bool:
    """Tell whether an error says that the database's file is damaged."""
    return not _of_postgres(error) and sqlite.is_damaged(error)


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that there is no room left."""
    if _of_postgres(error):
        from gateway.store import postgres

        return postgres.is_full(error)
    return sqlite.is_full(error)


def is_conflict(error: BaseException) -> bool:
    """Tell whether another process was in the way, so that the same transaction, run again, sees what that one did."""
    if _of_postgres(error):
        from gateway.store import postgres

        return postgres.is_conflict(error)
    return isinstance(error, StoreConflict)


def unavailable(
    error: BaseException, what: str, *, uncertain: bool = False, concerns_all: bool = False
) -> StoreUnavailable:
    """Return what the store raises for an error that `is_unavailable`; the error stays its cause."""
    if is_damaged(error):
        made: StoreUnavailable = StoreDamaged(
            f"{what}: {error}", uncertain=uncertain, concerns_all=concerns_all
        )
    else:
        made = StoreUnavailable(
            f"{what}: {error}", uncertain=uncertain, concerns_all=concerns_all, full=is_full(error)
        )
    made.__cause__ = error
    return made


def _of_postgres(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return type(cause).__module__.partition(".")[0] == "psycopg"
