"""Where a body lies in a segment (docs/decisions/0014-segments.md). Only adds: gateways on PostgreSQL use none of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.add_column("bodies", sa.Column("segment", sa.Text))
    op.add_column("bodies", sa.Column("start", sa.BigInteger))
    op.add_column("bodies", sa.Column("length", sa.BigInteger))
    used = sa.text("segment IS NOT NULL")
    op.create_index("ix_bodies_segment", "bodies", ["segment"], sqlite_where=used, postgresql_where=used)
