"""The facts a decision was made from (docs/decisions/0055-facts-are-recorded.md). Only adds: older code leaves it empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"


def upgrade() -> None:
    op.add_column("messages", sa.Column("facts", sa.Text))
