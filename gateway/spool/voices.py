"""Which names are one person's: whoever decides by one mailbox has decided by all of them.

A link in a letter knows one address and nobody's account; the people who may sign in are known by all their mailboxes. So a
person who is asked twice counts once, and nobody approves a mail that they sent from another mailbox of theirs. A mailbox that
several share makes them one here: in doubt two names are one person (message/same_person.py).
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.store.people_tables import people
from gateway.store.tx import Prepared, Queries

MOST = 50  # people who share one mailbox

_HAVE_IT = {
    dialect: Prepared(
        select(people.c.login, people.c.addresses)
        .where(search(people.c.addresses, bindparam("b_written")) > 0)
        .order_by(people.c.login)
        .limit(sa.literal_column(str(MOST)))
    )
    for dialect, search in (("sqlite", sa.func.instr), ("postgresql", sa.func.strpos))
}


def names_of(queries: Queries, address: str) -> frozenset[str]:
    """Return this address (a key) and all other addresses and logins of the people whose mailbox it is."""
    found = queries.rows(_HAVE_IT[queries.connection.dialect.name], {"b_written": json.dumps(address)})
    mine = {name for login, addresses in found for name in (login, *json.loads(addresses))}
    return frozenset({address, *mine})
