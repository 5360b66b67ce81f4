"""Fetching a file behind a link: counted in one transaction, so that of many at once no more get it than may.

A visit that proved the address may fetch. What it begins counts; what goes on with that does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from gateway.spool.lifecycle import Kind
from gateway.spool.share_contract import Share, Visitor
from gateway.spool.shares_codes import happened
from gateway.spool.shares_rows import Facts, ShareRow, lock_row, read, write
from gateway.spool.shares_standing import share_of, why_closed
from gateway.store.tx import Queries, Tx

Fetched = Share | str
"""The share, or why nothing can be fetched from it."""


def fetch(
    queue_id: str, recipient: int, place: int, visitor: Visitor, now: int, goes_on: bool
) -> Callable[[Tx], Fetched]:
    """Count one fetch; of pieces that are asked for at once the first counts."""

    def job(tx: Tx) -> Fetched:
        found = lock_row(tx, queue_id, recipient)
        if found is None:
            return "unknown"
        row, facts = found
        allowed = _allowed(row, facts, place, visitor, now)
        if isinstance(allowed, str):
            return allowed
        if goes_on and place in row.begun[visitor.visit]:
            return allowed
        if dict(allowed.left)[place] == 0:
            return "used-up"
        counted = _counted(row, place, visitor, now)
        write(tx, counted)
        detail = {"place": place, "name": dict(allowed.files)[place]}
        tx.event(happened(row, Kind.SHARE_FETCHED, visitor, now, **detail))
        return share_of(counted, facts)

    return job


def onward(
    queue_id: str, recipient: int, place: int, visitor: Visitor, now: int
) -> Callable[[Queries], Fetched]:
    """Return the share where this visit has begun to fetch the file: `not-begun` where it has to be counted."""

    def look(queries: Queries) -> Fetched:
        found = read(queries, queue_id, recipient)
        if found is None:
            return "unknown"
        row, facts = found
        allowed = _allowed(row, facts, place, visitor, now)
        if isinstance(allowed, str) or place in row.begun[visitor.visit]:
            return allowed
        return "not-begun"

    return look


def _allowed(row: ShareRow, facts: Facts, place: int, visitor: Visitor, now: int) -> Fetched:
    why = why_closed(row, facts, now)
    if why:
        return why
    if visitor.visit not in row.begun:
        return "not-opened"
    share = share_of(row, facts)
    return share if place in dict(share.files) else "no-file"


def _counted(row: ShareRow, place: int, visitor: Visitor, now: int) -> ShareRow:
    counts, begun = row.counts, row.begun
    counts[place] = counts.get(place, 0) + 1
    begun[visitor.visit] = sorted({*begun[visitor.visit], place})
    return row._replace(fetched=json.dumps(counts), visits=json.dumps(begun), changed_at=now)
