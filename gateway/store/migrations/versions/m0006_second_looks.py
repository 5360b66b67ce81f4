"""What people said about a held mail: confirmations, approvals, and their deadlines (docs/decisions/0053-second-look.md).

Only adds. A recipient that waits for people has a due time that no gateway's clock reaches, so one of the version before,
which does not know this table, does not let it go; it cannot read the decision on such a mail either.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "second_looks",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("met_at", sa.BigInteger),
        sa.Column("given", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "number", name="pk_second_looks"),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["messages.queue_id"], name="fk_second_looks_queue_id", ondelete="CASCADE"
        ),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_second_looks_due", "second_looks", ["due_at"], sqlite_where=due, postgresql_where=due)
