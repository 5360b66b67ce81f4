"""Incidents in a list, newest first, for somebody's scope. There are few: a look reads on until a page is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from gateway.incidents.contract import PAGE, IncidentLine, IncidentPage, What
from gateway.incidents.rows import whose_of
from gateway.spool.list_contract import Scope
from gateway.spool.times import from_us
from gateway.store.incident_tables import deletion_requests, incidents
from gateway.store.schema import messages
from gateway.store.tx import Prepared, Queries

READ = 200  # incidents in one statement
LOOKED_AT = 5_000  # in one answer, most of them somebody else's; `after` goes on behind them
_BEFORE_ALL = (1 << 62, "")

_I, _D, _M = incidents.c, deletion_requests.c, messages.c
_OF_IT = _D.queue_id == _I.queue_id
_PLACE = sa.tuple_(_I.opened_at, _I.queue_id)
_LINES = Prepared(
    select(
        *(_I.queue_id, _I.opened_at, _I.what, _I.persons, _I.closed_at, _I.whose),
        select(func.count()).where(_OF_IT).scalar_subquery(),
        select(func.count()).where(_OF_IT, _D.answer.is_not(None)).scalar_subquery(),
        *(_M.subject, _M.sender),
    )
    .join_from(incidents, messages, _M.queue_id == _I.queue_id, isouter=True)
    .where(sa.tuple_(bindparam("b_at"), bindparam("b_before")) > _PLACE)
    .order_by(_I.opened_at.desc(), _I.queue_id.desc())
    .limit(bindparam("b_limit", type_=sa.Integer))
)


def page(scope: Scope, after: str, *, only_open: bool) -> Callable[[Queries], IncidentPage]:
    """Return the read of one page; raises ValueError for an `after` that is none of ours, before anything is read."""
    start = _place(after)

    def read(queries: Queries) -> IncidentPage:
        lines: list[IncidentLine] = []
        last: Any = None
        for number, row in enumerate(_rows(queries, start)):
            if len(lines) == PAGE or number == LOOKED_AT:
                return IncidentPage(tuple(lines), f"{last[1]}-{last[0]}")
            last = row
            if scope.holds(whose_of(row[5])) and not (only_open and row[4] is not None):
                lines.append(_line(row))
        return IncidentPage(tuple(lines), "")

    return read


def _rows(queries: Queries, start: tuple[int, str]) -> Iterator[Any]:
    at, before = start
    while rows := queries.rows(_LINES, {"b_at": at, "b_before": before, "b_limit": READ}):
        yield from rows
        before, at = rows[-1][0], rows[-1][1]


def _place(after: str) -> tuple[int, str]:
    if not after:
        return _BEFORE_ALL
    at, dash, queue_id = after.partition("-")
    if not (dash and at.isascii() and at.isdigit() and len(at) < 19 and queue_id.isalnum()):
        raise ValueError("not where a page of ours ended")
    return int(at), queue_id


def _line(row: Any) -> IncidentLine:
    queue_id, opened_at, what, persons, closed_at, _, asked, answered, subject, sender = row
    return IncidentLine(
        queue_id=queue_id,
        opened_at=from_us(opened_at),
        subject=subject or "",
        sender=sender or "",
        what=What(what),
        persons=persons,
        open=closed_at is None,
        asked=asked,
        answered=answered,
    )
