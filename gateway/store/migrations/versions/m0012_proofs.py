"""Signed checkpoints of the event chains, and certificates of deletion.

Only adds; code of the version before writes none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


LINES = "(queue_id IS NULL OR kind = 'accepted')"


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("succession", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary),
        sa.PrimaryKeyConstraint("number", name="pk_signing_keys"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_checkpoints"),
    )
    op.create_table(
        "certificates",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("of_group", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_certificates"),
    )
    op.create_index("ix_checkpoints_at", "checkpoints", ["at"])
    op.create_index(
        "ix_events_lines",
        "events",
        ["at", "node", "seq"],
        sqlite_where=sa.text(LINES),
        postgresql_where=sa.text(LINES),
    )
