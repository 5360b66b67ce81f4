"""When somebody last signed in through the OpenID provider. Only adds; who was there before counts as signed in now."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.add_column("people", sa.Column("provided_at", sa.BigInteger))
    now = sa.bindparam("now", time.time_ns() // 1000, sa.BigInteger)
    op.execute(sa.text("UPDATE people SET provided_at = :now WHERE subject IS NOT NULL").bindparams(now))
