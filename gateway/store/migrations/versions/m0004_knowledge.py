"""What rules may ask about earlier mail: who wrote to whom, how much, and in answer to what (docs/decisions/0051).

Only adds: a gateway of the version before works on without looking at any of it, and what it delivers the others learn.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    _secrets()
    _acquaintances()
    _sendings()
    _threads()


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )


def _acquaintances() -> None:
    op.create_table(
        "acquaintances",
        sa.Column("recipient", sa.LargeBinary, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("recipient", "sender", name="pk_acquaintances"),
    )
    op.create_index("ix_acquaintances_last_at", "acquaintances", ["last_at"])
    op.create_table(
        "written_domains",
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_written_domains"),
    )
    op.create_index("ix_written_domains_last_at", "written_domains", ["last_at"])
    op.create_table(
        "learned",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("oldest", sa.BigInteger, nullable=False),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_learned"),
    )


def _sendings() -> None:
    op.create_table(
        "sendings",
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("slice", sa.BigInteger, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("mails", sa.BigInteger, nullable=False),
        sa.Column("recipients", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sender", "slice", "node", name="pk_sendings"),
    )
    op.create_index("ix_sendings_slice", "sendings", ["slice"])


def _threads() -> None:
    op.create_table(
        "threads",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.LargeBinary, nullable=False),
        sa.Column("people", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name="pk_threads"),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["messages.queue_id"], name="fk_threads_queue_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_threads_message_id", "threads", ["message_id"])
