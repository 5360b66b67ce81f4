"""Reminders of approvals, and when approvers are away.

Only adds; code of the version before reminds nobody.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "number", name="pk_reminders"),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["messages.queue_id"], name="fk_reminders_queue_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_reminders_due_at", "reminders", ["due_at"])
    op.create_table(
        "absences",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("person", "since", name="pk_absences"),
    )
