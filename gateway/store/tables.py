"""What all tables have in common: one collection, and how their constraints and indexes are named."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def partial_index(name: str, column: sa.Column[Any], where: str) -> None:
    """Add an index over some rows: every database spells the condition for itself."""
    condition = sa.text(where)
    sa.Index(name, column, sqlite_where=condition, postgresql_where=condition)
