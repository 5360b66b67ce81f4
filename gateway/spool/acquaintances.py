"""Who wrote to whom, as rules ask for it; what is not used for long is forgotten. How it is learned stands in learning.py."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.knowledge import MAX_WRITERS, Writers
from gateway.spool.learning import PURPOSE, marks
from gateway.spool.statements import LIMIT
from gateway.store.events import storable
from gateway.store.knowledge_tables import acquaintances, written_domains
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.tx import Prepared, Queries, Tx

ASKED = 200  # recipients in one statement


def writers(sender: str, recipients: Collection[str], pseudonyms: Pseudonyms) -> Callable[[Queries], Writers]:
    """Return who wrote to these recipients."""

    def read(queries: Queries) -> Writers:
        found: dict[str, list[str]] = {}
        asked = iter(recipients)
        while some := list(islice(asked, ASKED)):
            of_hash = {pseudonyms.of(PURPOSE, key): key for key in some}
            hashes = (*of_hash, *[next(iter(of_hash))] * (ASKED - len(of_hash)))
            wanted = {f"b_{place}": hashed for place, hashed in enumerate(hashes)}
            for hashed, writer in queries.rows(_WRITERS, wanted | {"b_sender": storable(sender)}):
                found.setdefault(of_hash[bytes(hashed)], []).append(writer)
        return Writers(
            {key: tuple(each) for key, each in found.items()}, all(mark.complete for mark in marks(queries))
        )

    return read


def domains(limit: int, known_at: int) -> Callable[[Queries], frozenset[str]]:
    """Return the domains mail was delivered to by then, the latest used first."""
    wanted = {"b_limit": limit, "b_known_at": known_at}
    return lambda queries: frozenset(row[0] for row in queries.rows(_DOMAINS, wanted))


def forget(before: int, limit: int) -> Callable[[Tx], int]:
    """Delete acquaintances and domains that were last written to before `before`."""
    which = {"b_before": before, "b_limit": limit}
    return lambda tx: tx.run(_FORGET_PAIRS, which) + tx.run(_FORGET_DOMAINS, which)


_A = acquaintances.c
_NEAREST = sa.func.row_number().over(
    partition_by=_A.recipient,
    order_by=(
        sa.case((_A.sender == bindparam("b_sender"), sa.literal_column("0")), else_=sa.literal_column("1")),
        _A.last_at.desc(),
    ),
)
_RANKED = (
    select(_A.recipient, _A.sender, _NEAREST.label("place"))
    .where(_A.recipient.in_([bindparam(f"b_{place}", None) for place in range(ASKED)]))
    .subquery()
)
_WRITERS = Prepared(
    select(_RANKED.c.recipient, _RANKED.c.sender)
    .where(_RANKED.c.place <= sa.literal_column(str(MAX_WRITERS)))
    .order_by(_RANKED.c.recipient, _RANKED.c.place)
)
_DOMAINS = Prepared(
    select(written_domains.c.domain)
    .where(written_domains.c.first_at <= bindparam("b_known_at"))
    .order_by(written_domains.c.last_at.desc())
    .limit(LIMIT)
)
_FORGET_PAIRS = Prepared(
    sa.text(
        "DELETE FROM acquaintances WHERE (recipient, sender) IN"
        " (SELECT recipient, sender FROM acquaintances WHERE last_at < :b_before ORDER BY last_at LIMIT :b_limit)"
    )
)
_FORGET_DOMAINS = Prepared(
    sa.text(
        "DELETE FROM written_domains WHERE domain IN"
        " (SELECT domain FROM written_domains WHERE last_at < :b_before ORDER BY last_at LIMIT :b_limit)"
    )
)
