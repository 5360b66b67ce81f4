"""The tables of what proves something later: signed checkpoints of the chains, certificates of deletion, the keys that sign.

And the index by which people find mails in the event log: one line for each mail and each event without one.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata

LINES = "(queue_id IS NULL OR kind = 'accepted')"
"""Which events are lines in the list of the log: the index holds these only, so a mail's later events cost nothing."""

signing_keys = sa.Table(  # Ed25519; the newest signs, of older ones the private half is gone
    "signing_keys",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("public", sa.LargeBinary, nullable=False),
    sa.Column("succession", sa.Text, nullable=False),  # how it follows the one before, signed by both
    sa.Column("key_id", sa.Text, nullable=False),  # of the master key that wraps the private half
    sa.Column("wrapped", sa.LargeBinary),
)

checkpoints = sa.Table(  # where all chains ended at a time, signed
    "checkpoints",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("statement", sa.Text, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)

certificates = sa.Table(  # what was destroyed, signed
    "certificates",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("of_group", sa.Text, nullable=False),  # of the policy; empty for the whole organisation
    sa.Column("statement", sa.Text, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
