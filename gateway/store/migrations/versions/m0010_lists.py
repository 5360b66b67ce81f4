"""Of which groups a mail's sender is, and a narrow row for each held mail, by which lists are searched.

Only adds. Code of the version before writes neither: its mail is of no group, and what it holds is listed when somebody looks
for such mail (gateway/spool/relisting.py). Mail that is held already is listed in the same way.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.add_column("messages", sa.Column("sender_groups", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "listings",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("waits", sa.Integer, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("outside", sa.Integer, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("whose", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("people", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name="pk_listings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "listing_names",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "queue_id", name="pk_listing_names"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unlisted",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name="pk_unlisted"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO unlisted (queue_id, changed_at)"
        " SELECT queue_id, received_at FROM messages WHERE held_recipients > 0"
    )
