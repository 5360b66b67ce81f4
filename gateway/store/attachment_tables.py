"""The tables of protected attachments: keys, how they travel, keys agreed on, and files behind links.

Every secret in them is wrapped by the master key (wrapping.py).
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata, partial_index


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

partial_index("ix_key_sendings_due", key_sendings.c.due_at, "due_at IS NOT NULL")
partial_index("ix_key_sendings_receipt", key_sendings.c.receipt, "receipt IS NOT NULL")
partial_index("ix_message_keys_expires", message_keys.c.expires_at, "expires_at IS NOT NULL")
partial_index("ix_shares_open", shares.c.expires_at, "ended_at IS NULL")
