"""Which processes that share a store still live: what they leased and claimed is theirs, what others did is free."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.schema import nodes
from gateway.store.tx import Prepared, Queries

_NOW: sa.ColumnClause[int] = sa.literal_column("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint")
_NAMES = Prepared(sa.select(nodes.c.node).where(nodes.c.alive_until > _NOW).distinct().order_by(nodes.c.node))
_LIVING = Prepared(sa.select(nodes.c.owner).where(nodes.c.alive_until > _NOW))


def living(queries: Queries) -> frozenset[str]:
    """Return the owners that said not long ago that they live, by the database's clock."""
    return frozenset(owner for (owner,) in queries.rows(_LIVING))


def names_of_living(queries: Queries) -> list[str]:
    """Return the names of the nodes that said not long ago that they live; a node's workers are one."""
    return [name for (name,) in queries.rows(_NAMES)]
