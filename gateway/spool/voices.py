"""Which names are one person's: whoever decides by one mailbox has decided by all of them.

A link in a letter knows one address and nobody's account; the people who may sign in are known by all their mailboxes. So a
person who is asked twice counts once, nobody approves a mail that they sent from another mailbox, and who is suspended
decides nothing. A mailbox that several share makes them one here: in doubt two names are one person (message/same_person.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.store.people_tables import people
from gateway.store.tx import Prepared, Queries

MOST = 50  # people who share one mailbox

_HAVE_IT = {
    dialect: Prepared(
        select(people.c.login, people.c.addresses, people.c.suspended_at)
        .where(search(people.c.addresses, bindparam("b_written")) > 0)
        .order_by(people.c.login)
        .limit(sa.literal_column(str(MOST)))
    )
    for dialect, search in (("sqlite", sa.func.instr), ("postgresql", sa.func.strpos))
}


@dataclass(frozen=True, slots=True)
class Voice:
    """All names of whoever speaks by one mailbox; `stopped` where everybody whose mailbox it is was suspended."""

    names: frozenset[str]
    stopped: bool = False


def voice_of(queries: Queries, address: str) -> Voice:
    """Return who speaks by this address (a key); one that is nobody's speaks for itself."""
    found = queries.rows(_HAVE_IT[queries.connection.dialect.name], {"b_written": json.dumps(address)})
    mine = {name for login, addresses, _ in found for name in (login, *json.loads(addresses))}
    stopped = bool(found) and all(suspended_at is not None for _, _, suspended_at in found)
    return Voice(frozenset({address, *mine}), stopped)
