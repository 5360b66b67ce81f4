"""The tables that lists of mail need beside the mail itself: a narrow row for each held mail, and which rows are out of date.

A row is written with the mail that is held and when somebody asks; it says nothing that the mail's own rows do not say, so it
may be lost and made anew. Neither table refers to `messages`: nothing waits for them, and nothing breaks without them.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata

listings = sa.Table(  # what lists are searched, sorted and narrowed by; texts are folded (spool/listing.py)
    "listings",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("waits", sa.Integer, nullable=False),
    sa.Column("held", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("outside", sa.Integer, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("whose", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("people", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

listing_names = (
    sa.Table(  # whose each of them is, so that nobody's own mail is looked for among that of all others
        "listing_names",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("queue_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
)

unlisted = sa.Table(  # mails whose row in `listings` has to be made anew, or has to go
    "unlisted",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
