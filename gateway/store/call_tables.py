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
