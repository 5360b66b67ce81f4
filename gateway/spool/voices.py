"""Which names are one person's: whoever decides by one mailbox has decided by all of them.

A link in a letter knows one address and nobody's account; the people who may sign in are known by all their mailboxes. So a
person who is asked twice counts once, nobody approves a mail that they sent from another mailbox, and who is suspended
decides nothing. A mailbox that several share makes them one here: in doubt two names are one person (message/same_person.py).
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.store.people_tables import people
from gateway.store.tx import Prepared, Queries
from gateway.values import dataclass

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
    """All names of whoever speaks by one mailbox, and the logins of those among them who are not suspended.

    `active` is None for a mailbox that is nobody's who signs in.
    """

    names: frozenset[str]
    active: frozenset[str] | None = None

    @property
    def stopped(self) -> bool:
        """Tell whether everybody whose mailbox it is was suspended."""
        return self.active is not None and not self.active


def voice_of(queries: Queries, address: str) -> Voice:
    """Return who speaks by this address (a key); one that is nobody's speaks for itself."""
    found = queries.rows(_HAVE_IT[queries.connection.dialect.name], {"b_written": json.dumps(address)})
    mine = {name for login, addresses, _ in found for name in (login, *json.loads(addresses))}
    active = frozenset(login for login, _, suspended_at in found if suspended_at is None)
    return Voice(frozenset({address, *mine}), active if found else None)
