"""The tables of the API's answered calls, of web hooks that wait, and of digests that were sent."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata

webhooks = sa.Table(  # how far each server has been told
    "webhooks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("heads", sa.Text, nullable=False),  # JSON: by chain, the number of the last event that was told
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("lease", sa.Text),
    sa.Column("lease_until", sa.BigInteger),
)

api_calls = (
    sa.Table(  # what was answered to a call with an idempotency key; without an answer it is under way
        "api_calls",
        metadata,
        sa.Column("token", sa.Text, primary_key=True),  # the number of the token
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),  # of what was sent
        sa.Column("begun_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.LargeBinary),
    )
)

digests = sa.Table(  # who got the letter of a day; with the empty address: that day is done
    "digests",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("sent_at", sa.BigInteger, nullable=False),
)

digest_choices = sa.Table(  # who said whether they want it; no row: whoever is concerned gets it
    "digest_choices",
    metadata,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
