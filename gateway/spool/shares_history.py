"""What happened to the shares of one mail, read back from the event log.

The log is the evidence; rows only say how it is now.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, select

from gateway.spool.lifecycle import Kind
from gateway.spool.ranges import from_ranges
from gateway.spool.share_contract import Happened
from gateway.spool.times import from_us
from gateway.spool.values import Actor
from gateway.store.schema import events
from gateway.store.tx import Prepared, Queries

ABOUT_SHARES = (
    Kind.SHARE_CODE,
    Kind.SHARE_OPENED,
    Kind.SHARE_DENIED,
    Kind.SHARE_FETCHED,
    Kind.SHARE_LOCKED,
    Kind.SHARE_UNLOCKED,
    Kind.SHARE_EXTENDED,
    Kind.SHARE_ENDED,
    Kind.TAKEN_BACK,
)


def history(queue_id: str) -> Callable[[Queries], list[Happened]]:
    """Return the events, oldest first."""

    def look(queries: Queries) -> list[Happened]:
        return [_happened(row) for row in queries.rows(_EVENTS, {"b_queue_id": queue_id})]

    return look


def happened(
    at: int, kind: str, actor_kind: str, actor_name: str, recipients: str, detail: dict[str, Any]
) -> Happened:
    """Return one event as people look at it; raises ValueError where it is none about shares."""
    place = detail.get("place")
    return Happened(
        at=from_us(at),
        kind=Kind(kind),
        recipients=from_ranges(recipients),
        actor=Actor(actor_kind, actor_name),
        client=str(detail.get("client", "")),
        place=place if isinstance(place, int) else None,
        name=str(detail.get("name", "")),
    )


def _happened(row: tuple[Any, ...]) -> Happened:
    at, kind, actor_kind, actor_name, recipients, detail = row
    loaded = json.loads(detail)
    return happened(at, kind, actor_kind, actor_name, recipients, loaded if isinstance(loaded, dict) else {})


_E = events.c
_EVENTS = Prepared(
    select(_E.at, _E.kind, _E.actor_kind, _E.actor_name, _E.recipients, _E.detail)
    .where(
        _E.queue_id == bindparam("b_queue_id"),
        _E.kind.in_([bindparam(f"b_kind_{number}", kind.value) for number, kind in enumerate(ABOUT_SHARES)]),
    )
    .order_by(_E.at, _E.node, _E.seq)
)
