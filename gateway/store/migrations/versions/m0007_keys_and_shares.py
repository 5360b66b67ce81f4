"""Keys of attachments, how they travel, keys that were agreed on before, and files behind links.

Only adds. Code of the version before cannot read a decision that protects files, and lets such mail lie.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "message_keys",
        _queue_id(),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("shown_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("queue_id", "number", name="pk_message_keys"),
        _of_message("message_keys"),
    )
    op.create_table(
        "key_sendings",
        _queue_id(),
        sa.Column("recipient", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("way", sa.Text),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("wrapped_to", sa.LargeBinary),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("lease", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("receipt", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "recipient", name="pk_key_sendings"),
        _of_message("key_sendings"),
    )
    op.create_table(
        "agreed_keys",
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
    )
    op.create_table(
        "shares",
        _queue_id(),
        sa.Column("recipient", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("locked_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("fetched", sa.Text, nullable=False),
        sa.Column("visits", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("wrapped_code", sa.LargeBinary),
        sa.Column("code_at", sa.BigInteger),
        sa.Column("codes_asked", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "recipient", name="pk_shares"),
        _of_message("shares"),
    )
    for table, name, column, where in (
        ("key_sendings", "due", "due_at", "due_at IS NOT NULL"),
        ("key_sendings", "receipt", "receipt", "receipt IS NOT NULL"),
        ("message_keys", "expires", "expires_at", "expires_at IS NOT NULL"),
        ("shares", "open", "expires_at", "ended_at IS NULL"),
    ):
        some = sa.text(where)
        op.create_index(f"ix_{table}_{name}", table, [column], sqlite_where=some, postgresql_where=some)


def _queue_id() -> sa.Column[str]:
    return sa.Column("queue_id", sa.Text, nullable=False)


def _of_message(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["queue_id"], ["messages.queue_id"], name=f"fk_{table}_queue_id", ondelete="CASCADE"
    )
