"""What the letter of a day tells: what is held of each person's now, and what happened to their mail since.

What is held is read from `listings`, what happened since from the events. Nothing here is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.message.address import AddressError, parse_path
from gateway.spool.lifecycle import Kind
from gateway.spool.list_contract import Waits
from gateway.spool.listing import BITS, names_from
from gateway.spool.times import from_us
from gateway.store.list_tables import listings
from gateway.store.schema import events, messages
from gateway.store.tx import Prepared, Queries
from gateway.values import dataclass

MOST_READ = 200_000  # held mails that one digest looks at; some two seconds of a reader
NAMED = 10  # mails of a kind in one letter; the page has them all

_L, _M, _E = listings.c, messages.c, events.c
_HELD = Prepared(
    select(_L.queue_id, _L.waits, _L.held, _L.received_at, _L.due_at, _L.whose)
    .order_by(_L.received_at)
    .limit(sa.literal_column(str(MOST_READ)))
)
_SINCE = Prepared(
    select(_E.kind, _M.sender, sa.func.count(sa.distinct(_E.queue_id)))
    .join_from(events, messages, _M.queue_id == _E.queue_id)
    .where(
        _E.at >= bindparam("b_since"),
        _E.kind.in_(
            [sa.literal_column(f"'{kind}'") for kind in (Kind.RELEASED, Kind.CANCELLED, Kind.BOUNCED)]
        ),
        _M.from_gateway == sa.literal_column("0"),
        _M.sender.is_not(None),
    )
    .group_by(_E.kind, _M.sender)
)


@dataclass(slots=True)
class Share:
    """One person's part of a day: what is held of theirs, what asks for them (both oldest first, `NAMED` ids at most), and
    how many mails were sent after a hold, cancelled, or failed since."""

    held: int = 0
    asks: int = 0
    held_ids: list[str] = field(default_factory=list)
    asking_ids: list[str] = field(default_factory=list)
    sent: int = 0
    cancelled: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """A day's figures: people by the key of their address, and the whole."""

    people: Mapping[str, Share]
    mails: int
    recipients: int
    asking: int
    frozen: int
    oldest: datetime | None


def gather(since: int) -> Callable[[Queries], Day]:
    """Return what is held now, and what happened since."""

    def read(queries: Queries) -> Day:
        people: dict[str, Share] = defaultdict(Share)
        rows = queries.rows(_HELD)
        for row in rows:
            _add_held(people, row)
        for kind, sender, mails in queries.rows(_SINCE, {"b_since": since}):
            _add_past(people, kind, sender, mails)
        return Day(
            people=people,
            mails=len(rows),
            recipients=sum(row[2] for row in rows),
            asking=sum(bool(row[1] & BITS[Waits.APPROVAL]) for row in rows),
            frozen=sum(bool(row[1] & BITS[Waits.FROZEN]) for row in rows),
            oldest=from_us(rows[0][3]) if rows else None,
        )

    return read


def _add_held(people: dict[str, Share], row: Any) -> None:
    queue_id, waits, *_, whose = row
    names = names_from(whose)
    for person in _of("s:", names):
        share = people[person]
        share.held += 1
        if len(share.held_ids) < NAMED:
            share.held_ids.append(queue_id)
    for person in _of("a:", names) if waits & BITS[Waits.APPROVAL] else ():
        share = people[person]
        share.asks += 1
        if len(share.asking_ids) < NAMED:
            share.asking_ids.append(queue_id)


def _add_past(people: dict[str, Share], kind: str, sender: str, mails: int) -> None:
    try:
        share = people[parse_path(sender).key]
    except AddressError:
        return
    if kind == Kind.RELEASED:
        share.sent += mails
    elif kind == Kind.CANCELLED:
        share.cancelled += mails
    else:
        share.failed += mails


def _of(kind: str, names: Iterable[str]) -> list[str]:
    return [name.removeprefix(kind) for name in names if name.startswith(kind)]
