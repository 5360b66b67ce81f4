"""The first schema. Spelled out: a migration must not change when gateway/store/schema.py does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = ("held", "queued", "active", "deferred", "delivered", "bounced", "cancelled")


def upgrade() -> None:
    _messages()
    _recipients()
    _bodies()
    _outbox()
    _events()
    _single_rows()


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.Text),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("from_gateway", sa.Integer, nullable=False),
        sa.Column("about", sa.Text),
        sa.Column("open_recipients", sa.Integer, nullable=False),
        sa.Column("held_recipients", sa.Integer, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("delay_noticed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("queue_id", name="pk_messages"),
    )
    _partial_index("ix_messages_held", "messages", "queue_id", "held_recipients > 0")
    _partial_index("ix_messages_finished", "messages", "finished_at", "finished_at IS NOT NULL")


def _recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("idx", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("queued_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("lease", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("perhaps", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "idx", name="pk_recipients"),
        _of_message("recipients"),
        sqlite_with_rowid=False,
    )
    _partial_index("ix_recipients_held", "recipients", "due_at", "state = 'held'")
    _partial_index("ix_recipients_moving", "recipients", "due_at", "state IN ('queued', 'deferred')")
    _partial_index("ix_recipients_active", "recipients", "lease_until", "state = 'active'")


def _bodies() -> None:
    op.create_table(
        "bodies",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("data", sa.LargeBinary),
        sa.PrimaryKeyConstraint("queue_id", name="pk_bodies"),
        _of_message("bodies"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("notice_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("to_address", sa.Text, nullable=False),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name="pk_outbox"),
        _of_message("outbox"),
    )
    op.create_index("ix_outbox_queue_id", "outbox", ["queue_id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("queue_id", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("prev", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_queue_id", "events", ["queue_id"])


def _single_rows() -> None:
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain"),
    )
    op.create_table(
        "master_keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_master_keys"),
    )
    tallies = op.create_table(
        "tallies",
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("recipients", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("state", name="pk_tallies"),
    )
    op.bulk_insert(tallies, [{"state": state, "recipients": 0} for state in _STATES])


def _of_message(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["queue_id"], ["messages.queue_id"], name=f"fk_{table}_queue_id", ondelete="CASCADE"
    )


def _partial_index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
