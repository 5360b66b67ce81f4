"""Incidents, what people wrote about them, and the requests to delete that belong to them.

Only adds; code of the version before knows none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("queue_id", sa.Text, primary_key=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("opener_kind", sa.Text, nullable=False),
        sa.Column("opener", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("wrong", sa.Text, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("persons", sa.BigInteger),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("taken", sa.Text, nullable=False),
        sa.Column("whose", sa.Text, nullable=False),
        sa.Column("preliminary_at", sa.BigInteger),
        sa.Column("final_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("remind_at", sa.BigInteger),
    )
    op.create_table(
        "incident_notes",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("writer", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "number", name="pk_incident_notes"),
    )
    op.create_table(
        "deletion_requests",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("recipient", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("asker", sa.Text, nullable=False),
        sa.Column("letter", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answers", sa.Integer, nullable=False),
        sa.Column("reminders", sa.Integer, nullable=False),
        sa.Column("reminded_at", sa.BigInteger),
        sa.Column("remind_at", sa.BigInteger),
        sa.Column("every", sa.BigInteger),
        sa.Column("key_id", sa.Text),
        sa.Column("wrapped_comment", sa.LargeBinary),
        sa.PrimaryKeyConstraint("queue_id", "recipient", name="pk_deletion_requests"),
    )
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    for table, name, column in (
        ("incidents", "remind", "remind_at"),
        ("incidents", "closed", "closed_at"),
        ("deletion_requests", "remind", "remind_at"),
    ):
        some = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{name}", table, [column], sqlite_where=some, postgresql_where=some)
