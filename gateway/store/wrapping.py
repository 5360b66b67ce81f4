"""What a small secret is bound to when the master key wraps it: the table, and the row within it.

A wrapped value that somebody puts into another row, or another table, does not open there. Bodies are bound to their queue id
alone, which has no slash; so nothing of one kind opens as the other.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.attachment_tables import agreed_keys, key_sendings, message_keys, shares
from gateway.store.incident_tables import deletion_requests, incident_notes
from gateway.store.people_tables import credentials
from gateway.store.proof_tables import signing_keys


def bound(table: str, *row: object) -> str:
    """Return what the value of one row is bound to: `message_keys/5Q.../0`."""
    return "/".join((table, *map(str, row)))


WRAPPED: tuple[tuple[sa.Table, str], ...] = (
    (message_keys, "wrapped"),
    (key_sendings, "wrapped_to"),
    (agreed_keys, "wrapped"),
    (shares, "wrapped_code"),
    (incident_notes, "wrapped"),
    (deletion_requests, "wrapped_comment"),
    (signing_keys, "wrapped"),
    (credentials, "wrapped"),
)
"""Every table with such a value, and its column; `key_id` names the master key, and the primary key is what it is bound to."""
