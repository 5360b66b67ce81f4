"""The one SQL schema, in SQLAlchemy Core. The migrations beside this file must add up to it; a test compares.

Times are integer microseconds since 1970 in UTC, JSON is text: every database stores and compares them the same way.
Nothing here is particular to one database except that partial indexes have to be spelled once per dialect.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

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

acquaintances = sa.Table(  # to whom outside (a keyed hash) mail from whom (an address key) was delivered
    "acquaintances",
    metadata,
    sa.Column("recipient", sa.LargeBinary, primary_key=True),
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False, index=True),
)

written_domains = sa.Table(
    "written_domains",
    metadata,
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False, index=True),
)

learned = sa.Table(  # of each event chain: acquaintances know the events above `oldest`, up to `newest`
    "learned",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("oldest", sa.BigInteger, nullable=False),
    sa.Column("newest", sa.BigInteger, nullable=False),
)

sendings = sa.Table(  # what a sender handed in, by slices of time; each chain's writers count for themselves
    "sendings",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("slice", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("mails", sa.BigInteger, nullable=False),
    sa.Column("recipients", sa.BigInteger, nullable=False),
)

threads = sa.Table(  # which mail had which Message-ID (a keyed hash), and whom it named (keyed hashes, in one piece)
    "threads",
    metadata,
    sa.Column("queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("message_id", sa.LargeBinary, nullable=False, index=True),
    sa.Column("people", sa.LargeBinary, nullable=False),
)

halves = sa.Table(  # who (a keyed hash of sender and recipient) lately sent half of a file and its password
    "halves",
    metadata,
    sa.Column("queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("pair", sa.LargeBinary, primary_key=True, index=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("what", sa.Integer, nullable=False),  # message/halves.py
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


def _of_message() -> sa.Column[str]:
    return sa.Column(
        "queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True
    )


message_keys = (
    sa.Table(  # keys of attachments, wrapped by the master key; number 0 is the mail's, n + 1 recipient n's
        "message_keys",
        metadata,
        _of_message(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key_id", sa.Text, nullable=False),  # of the master key
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("shown_at", sa.BigInteger),  # to the sender, the last time
    )
)

key_sendings = sa.Table(  # how the key of a recipient's copy travels, and how far it is
    "key_sendings",
    metadata,
    _of_message(),
    sa.Column("recipient", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("way", sa.Text),  # None while nobody has said
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("wrapped_to", sa.LargeBinary),  # a telephone number
    sa.Column("due_at", sa.BigInteger),
    sa.Column("lease", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("receipt", sa.Text),  # what the carrier calls it
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

agreed_keys = sa.Table(  # keys that an organisation and a receiver (an address, or @domain) agreed on
    "agreed_keys",
    metadata,
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("set_at", sa.BigInteger, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
)

shares = sa.Table(  # files that wait behind a link, for one recipient each
    "shares",
    metadata,
    _of_message(),
    sa.Column("recipient", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("locked_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),  # expired or taken back: never again
    sa.Column("opened_at", sa.BigInteger),  # when the address was proved first
    sa.Column("fetched", sa.Text, nullable=False),  # JSON: by the file's place, how often
    sa.Column("visits", sa.Text, nullable=False),  # JSON: by visit, the places of the files it began to fetch
    sa.Column("key_id", sa.Text),
    sa.Column("wrapped_code", sa.LargeBinary),  # the one-time code that is good now
    sa.Column("code_at", sa.BigInteger),
    sa.Column("codes_asked", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # wrong codes and keys
    sa.Column("tried_at", sa.BigInteger),  # the last of them
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)


def _partial(name: str, column: sa.Column[Any], where: str) -> None:
    condition = sa.text(where)
    sa.Index(name, column, sqlite_where=condition, postgresql_where=condition)


HELD = "state = 'held'"
MOVING = "state IN ('queued', 'deferred')"
ACTIVE = "state = 'active'"

_partial("ix_recipients_held", recipients.c.due_at, HELD)
_partial("ix_recipients_moving", recipients.c.due_at, MOVING)
_partial("ix_recipients_active", recipients.c.lease_until, ACTIVE)
_partial("ix_bodies_segment", bodies.c.segment, "segment IS NOT NULL")
_partial("ix_messages_held", messages.c.queue_id, "held_recipients > 0")
_partial("ix_messages_finished", messages.c.finished_at, "finished_at IS NOT NULL")
_partial("ix_second_looks_due", second_looks.c.due_at, "due_at IS NOT NULL")
_partial("ix_key_sendings_due", key_sendings.c.due_at, "due_at IS NOT NULL")
_partial("ix_key_sendings_receipt", key_sendings.c.receipt, "receipt IS NOT NULL")
_partial("ix_message_keys_expires", message_keys.c.expires_at, "expires_at IS NOT NULL")
_partial("ix_shares_open", shares.c.expires_at, "ended_at IS NULL")
