"""Signed checkpoints of the event chains, and certificates of deletion.

Only adds; code of the version before writes none.
"""

from __future__ import annotations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    """See the tables of this revision."""
