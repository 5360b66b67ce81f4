"""What several gateways on one database need: a chain of events and tallies for each, a heartbeat, bodies that all can read.

What was there stays the chain without a name; its hashes and its seal hold as they are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one

_SAID = ("kind", "reason", "actor_kind", "actor_name", "recipients", "detail")


def upgrade() -> None:
    _events()
    _chains()
    _tallies()
    _nodes()
    _body_chunks()
    op.add_column("outbox", sa.Column("owner", sa.Text))
    op.create_table(
        "compatibility",
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_compatibility"),
    )
    if op.get_bind().dialect.name == "postgresql":  # encrypted octets do not get smaller: do not try
        op.execute("ALTER TABLE bodies ALTER COLUMN data SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE body_chunks ALTER COLUMN data SET STORAGE EXTERNAL")


def _events() -> None:
    """SQLite cannot change a primary key: there the table is copied."""
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("events", sa.Column("node", sa.Text, nullable=False, server_default=""))
        op.drop_constraint("pk_events", "events", type_="primary")
        op.create_primary_key("pk_events", "events", ["node", "seq"])
        return
    op.create_table(
        "events_copied",
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("queue_id", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in _SAID),
        sa.Column("prev", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("node", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("node", "seq", name="pk_events"),
    )
    op.execute("INSERT INTO events_copied SELECT *, '' FROM events")
    op.drop_table("events")
    op.rename_table("events_copied", "events")
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_queue_id", "events", ["queue_id"])


def _chains() -> None:
    rows = op.get_bind().execute(sa.text("SELECT seq, hash, seal FROM chain")).all()
    op.drop_table("chain")
    chain = op.create_table(
        "chain",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_chain"),
    )
    for seq, hash_, seal in rows:
        op.bulk_insert(chain, [{"node": "", "seq": seq, "hash": hash_, "seal": seal}])
    op.create_table(
        "chain_list",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("nodes", sa.Text, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain_list"),
    )


def _tallies() -> None:
    rows = op.get_bind().execute(sa.text("SELECT state, recipients FROM tallies")).all()
    op.drop_table("tallies")
    tallies = op.create_table(
        "tallies",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("recipients", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", "state", name="pk_tallies"),
    )
    op.bulk_insert(tallies, [{"node": "", "state": state, "recipients": count} for state, count in rows])


def _nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("alive_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_nodes"),
    )


def _body_chunks() -> None:
    op.create_table(
        "body_chunks",
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "number", name="pk_body_chunks"),
    )
