"""Who sent whom half of a file and its password lately, so that the other half is noticed.

Only adds; code of the version before notes nothing there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "halves",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("pair", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "pair", name="pk_halves"),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["messages.queue_id"], name="fk_halves_queue_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_halves_pair", "halves", ["pair"])
    op.create_index("ix_halves_at", "halves", ["at"])
