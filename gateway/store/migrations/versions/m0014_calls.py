"""Calls of the API that were answered, web hooks that wait, and digests that were sent.

Only adds; code of the version before knows none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("heads", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("lease", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_webhooks"),
    )
    op.create_table(
        "api_calls",
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("token", "key", name="pk_api_calls"),
    )
    op.create_index("ix_api_calls_begun_at", "api_calls", ["begun_at"])
    op.create_table(
        "digests",
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "address", name="pk_digests"),
    )
    op.create_table(
        "digest_choices",
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_digest_choices"),
    )
