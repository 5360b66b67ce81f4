"""The chains of a store: a new one is opened together with its tallies and its place in the sealed list of chains.

The list is what makes a chain that was removed as a whole show: its name still stands there, and without the master key
nobody can seal a shorter list.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from gateway.store.events import Head, Seal, canonical
from gateway.store.schema import chain, chain_list, tallies

STATES = ("held", "queued", "active", "deferred", "delivered", "bounced", "cancelled")


def open_chain(connection: sa.Connection, node: str, seal: Seal) -> None:
    """Make sure that this node has a chain, tallies and its name in the list. The caller keeps others out meanwhile.

    What somebody removed or altered is left as it is: a new chain or a new seal would hide it from the verification.
    """
    names, sound = _listed(connection, seal)
    there = connection.execute(sa.select(chain.c.node).where(chain.c.node == node)).first() is not None
    if not sound or node in names:
        return
    if not there:
        _begin(connection, node, seal)
    _seal_list(connection, [*names, node], seal)  # also the chain of a store from before there was a list


def reseal(connection: sa.Connection, seal: Seal) -> None:
    """Put the current key's seal in place of a previous key's; one that holds under neither stays, and shows."""
    for node, seq, hash_, old in connection.execute(
        sa.select(chain.c.node, chain.c.seq, chain.c.hash, chain.c.seal).with_for_update()
    ).all():
        head = Head(seq, hash_, node)
        if seal.holds(head, old):
            connection.execute(chain.update().where(chain.c.node == node).values(seal=seal.of(head)))
    names, sound = _listed(connection, seal)
    if names and sound:
        _seal_list(connection, names, seal)


def _begin(connection: sa.Connection, node: str, seal: Seal) -> None:
    head = Head(node=node)
    connection.execute(chain.insert().values(node=node, seq=head.seq, hash=head.hash, seal=seal.of(head)))
    known = set(connection.execute(sa.select(tallies.c.state).where(tallies.c.node == node)).scalars())
    rows = [{"node": node, "state": state, "recipients": 0} for state in STATES if state not in known]
    if rows:
        connection.execute(tallies.insert(), rows)


def _listed(connection: sa.Connection, seal: Seal) -> tuple[list[str], bool]:
    """Return the names in the list, and whether it is as it was sealed; none at all is right only before a second chain."""
    row = connection.execute(sa.select(chain_list.c.nodes, chain_list.c.seal)).first()
    if row is None:
        others = connection.execute(sa.select(chain.c.node).where(chain.c.node != "")).first()
        return [], others is None
    return list(json.loads(row.nodes)), seal.holds_list(row.nodes, row.seal)


def _seal_list(connection: sa.Connection, names: list[str], seal: Seal) -> None:
    text = canonical(sorted(names))
    row = {"nodes": text, "seal": seal.of_list(text)}
    if connection.execute(chain_list.update().values(**row)).rowcount == 0:
        connection.execute(chain_list.insert().values(id=1, **row))
