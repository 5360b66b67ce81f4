"""The one SQL schema, in SQLAlchemy Core. The migrations beside this file must add up to it; a test compares.

Times are integer microseconds since 1970 in UTC, JSON is text: every database stores and compares them the same way.
Nothing here is particular to one database except that partial indexes have to be spelled once per dialect.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store import (
    attachment_tables,
    call_tables,
    incident_tables,
    knowledge_tables,
    list_tables,
    people_tables,
    proof_tables,
    reminder_tables,
)
from gateway.store.tables import metadata, partial_index

__all__ = [
    "attachment_tables",
    "call_tables",
    "incident_tables",
    "knowledge_tables",
    "list_tables",
    "metadata",
    "people_tables",
    "proof_tables",
    "reminder_tables",
]

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("sender", sa.Text),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("envelope", sa.Text, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("from_gateway", sa.Integer, nullable=False),
    sa.Column("about", sa.Text),
    # Counted in the transaction that moves recipients, so that lists and retention never scan recipients.
    sa.Column("open_recipients", sa.Integer, nullable=False),
    sa.Column("held_recipients", sa.Integer, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("delay_noticed_at", sa.BigInteger),
    # What the decision was made from, without content; NULL where nobody recorded it.
    sa.Column("facts", sa.Text),
    # The groups of the policy that its sender was in, as a JSON list; empty for none.
    sa.Column("sender_groups", sa.Text, nullable=False, server_default=""),
)

recipients = sa.Table(
    "recipients",
    metadata,
    sa.Column("queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("queued_at", sa.BigInteger),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("lease", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", sa.BigInteger),
    # 1 once an attempt ended without knowing whether the next hop took the mail; never 0 again.
    sa.Column("perhaps", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

bodies = sa.Table(
    "bodies",
    metadata,
    sa.Column("queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary),
    sa.Column("data", sa.LargeBinary),
    sa.Column("segment", sa.Text),  # where its octets lie in segments/, where they do
    sa.Column("start", sa.BigInteger),
    sa.Column("length", sa.BigInteger),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("notice_id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column(
        "queue_id",
        sa.Text,
        sa.ForeignKey("messages.queue_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("to_address", sa.Text, nullable=False),
    sa.Column("recipients", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),  # the process that composes it, where several share the store
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("queue_id", sa.Text, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("recipients", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("prev", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("node", sa.Text, nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("node", "seq"),
)

chain = sa.Table(  # the sealed head of each event chain
    "chain",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("seal", sa.LargeBinary, nullable=False),
)

chain_list = sa.Table(  # one row: which chains there are, as sealed JSON
    "chain_list",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("nodes", sa.Text, nullable=False),
    sa.Column("seal", sa.LargeBinary, nullable=False),
)

# Recipients by state, so that figures cost nothing at a million rows. Each chain's writers count for themselves: what they
# add up to counts, and no node waits for another's row.
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("recipients", sa.BigInteger, nullable=False),
)

master_keys = sa.Table(  # ids only, never keys
    "master_keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
)

nodes = sa.Table(  # processes that share a store and say that they live; times by the database's clock
    "nodes",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("schema", sa.Text, nullable=False),
    sa.Column("alive_until", sa.BigInteger, nullable=False),
)

body_chunks = sa.Table(  # large bodies where nodes share no disk; written before the body's row, like a file
    "body_chunks",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("written_at", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

secrets = sa.Table(  # random keys of our own, wrapped by the master key as a message's key is
    "secrets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)

compatibility = sa.Table(  # one row: the newest schema, and the oldest code that may work on it
    "compatibility",
    metadata,
    sa.Column("revision", sa.Text, primary_key=True),
    sa.Column("since", sa.Text, nullable=False),
)

second_looks = (
    sa.Table(  # what people said about a held mail; a row that is missing says that nobody said anything
        "second_looks",
        metadata,
        sa.Column(
            "queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "number", sa.Integer, primary_key=True, autoincrement=False
        ),  # of the demand in the decision
        sa.Column("step", sa.Integer, nullable=False),  # of an approval: the escalations so far
        sa.Column("due_at", sa.BigInteger),  # of the next escalation or the time-out
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("met_at", sa.BigInteger),
        sa.Column("given", sa.Text, nullable=False),
    )
)


HELD = "state = 'held'"
MOVING = "state IN ('queued', 'deferred')"
ACTIVE = "state = 'active'"

partial_index("ix_recipients_held", recipients.c.due_at, HELD)
partial_index("ix_recipients_moving", recipients.c.due_at, MOVING)
partial_index("ix_recipients_active", recipients.c.lease_until, ACTIVE)
partial_index("ix_bodies_segment", bodies.c.segment, "segment IS NOT NULL")
partial_index("ix_messages_held", messages.c.queue_id, "held_recipients > 0")
partial_index("ix_messages_finished", messages.c.finished_at, "finished_at IS NOT NULL")
sa.Index(
    "ix_events_lines",
    events.c.at,
    events.c.node,
    events.c.seq,
    sqlite_where=sa.text(proof_tables.LINES),
    postgresql_where=sa.text(proof_tables.LINES),
)
partial_index("ix_second_looks_due", second_looks.c.due_at, "due_at IS NOT NULL")
