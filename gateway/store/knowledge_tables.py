"""The tables of what is known of earlier mail: who wrote to whom, how much, in answer to what, with which half of a file and
its password. People stand there as keyed hashes (docs/decisions/0051-what-is-known-of-earlier-mail.md).
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata

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
