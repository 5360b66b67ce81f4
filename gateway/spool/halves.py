"""Who lately sent whom an encrypted file, or a password: written with the mail, forgotten after HALVES_KEPT or with it.

A row for each external recipient: a keyed hash of sender and recipient together, when, and what. Nothing of the mail, and
nothing that tells whose it was without the key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.message.evidence import HALVES_KEPT, Halves
from gateway.message.halves import FILE, PASSWORD, PERHAPS_FILE
from gateway.spool.knowledge import Noted
from gateway.spool.times import span_us
from gateway.store.inserts import Inserts, Row
from gateway.store.knowledge_tables import halves
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.tx import Prepared, Queries, Tx

MAX_PAIRS = 1_000
"""External recipients of one mail that are noted, and that are asked for: nobody writes a password to more of them by hand."""

_AT_ONCE = 50  # pairs in one statement
_SECOND = 1_000_000

NEW_HALVES = Inserts(halves)


def pairs(sender: str, recipients: Collection[str], pseudonyms: Pseudonyms) -> tuple[bytes, ...]:
    """Return the hashes of a sender with each recipient (keys), each once."""
    distinct = dict.fromkeys(islice(recipients, MAX_PAIRS))
    return tuple([pseudonyms.of("half", f"{sender}\0{each}") for each in distinct])


def half_rows(queue_id: str, at: int, noted: Noted) -> list[Row]:
    """Return the rows of a mail that is a half, or both."""
    return [(queue_id, pair, at, noted.half) for pair in noted.pairs] if noted.half else []


def earlier(
    sender: str, recipients: Collection[str], at: int, pseudonyms: Pseudonyms
) -> Callable[[Queries], Halves | None]:
    """Return what this sender sent these recipients before `at` (microseconds); None where there are too many to tell."""

    def read(queries: Queries) -> Halves | None:
        latest = dict.fromkeys((FILE, PERHAPS_FILE, PASSWORD), -1)
        for wanted in _pieces(pairs(sender, recipients, pseudonyms)):
            for sent_at, what in queries.rows(_LATEST, wanted | {"b_since": at - span_us(HALVES_KEPT)}):
                for each in latest:
                    latest[each] = max(latest[each], sent_at) if what & each else latest[each]
        return _ages(latest, at)

    return (lambda _: None) if len(recipients) > MAX_PAIRS else read


def forget(at: int, limit: int) -> Callable[[Tx], int]:
    """Delete what nobody asks for any more."""
    return lambda tx: tx.run(_FORGET, {"b_oldest": at - span_us(HALVES_KEPT), "b_limit": limit})


def _ages(latest: dict[int, int], at: int) -> Halves:
    """Return how many seconds ago each was; what another gateway's clock puts into the future was now."""
    ages = {what: None if sent < 0 else max(0, at - sent) // _SECOND for what, sent in latest.items()}
    return Halves(file=ages[FILE], perhaps_file=ages[PERHAPS_FILE], password=ages[PASSWORD])


def _pieces(hashes: Sequence[bytes]) -> Iterator[dict[str, object]]:
    """Yield parameters of a fixed number, so that the driver prepares one statement."""
    for start in range(0, len(hashes), _AT_ONCE):
        piece: Iterable[bytes] = hashes[start : start + _AT_ONCE]
        given = {f"b_{place}": pair for place, pair in enumerate(piece)}
        yield {f"b_{place}": given.get(f"b_{place}", hashes[0]) for place in range(_AT_ONCE)}


_H = halves.c
_LATEST = Prepared(
    select(sa.func.max(_H.at), _H.what)
    .where(
        _H.pair.in_([bindparam(f"b_{place}", None) for place in range(_AT_ONCE)]),
        _H.at >= bindparam("b_since", type_=sa.BigInteger),
    )
    .group_by(_H.what)
)
_FORGET = Prepared(
    sa.text(
        "DELETE FROM halves WHERE (queue_id, pair) IN"
        " (SELECT queue_id, pair FROM halves WHERE at < :b_oldest ORDER BY at LIMIT :b_limit)"
    )
)
