"""Mails that wait for somebody's approval, by what happens to them next: a page at a time, soonest first.

The narrow rows of `listings` say who is asked, the demands when something happens next. The page holds queue ids alone:
whoever shows them asks for each mail what is asked of whom by then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from gateway.spool.list_conditions import conditions
from gateway.spool.list_contract import MAX_PAGE, HeldQuestion, Lists, Scope, Waits
from gateway.store.database import Database
from gateway.store.list_tables import listings
from gateway.store.schema import second_looks
from gateway.store.tx import Queries
from gateway.values import dataclass

_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9A-Za-z]{1,40})")
_S = second_looks.c


@dataclass(frozen=True, slots=True)
class AskedPage:
    """`after` leads to the next page, empty on the last; `found` counts all, `at_least` where counting stopped early."""

    queue_ids: tuple[str, ...]
    after: str
    found: int
    at_least: bool = False


class SqlAskings:
    """`spool.askings`."""

    def __init__(self, database: Database, lists: Lists) -> None:
        self._db = database
        self._lists = lists

    async def page(self, asked: Scope, after: str = "", limit: int = 50) -> AskedPage:
        """Return mails that wait for the approval of the people of this scope; raises ValueError for an `after` not ours."""
        if not 0 < limit <= MAX_PAGE:
            raise ValueError(f"a page has 1 to {MAX_PAGE} lines, not {limit}")
        place = _read(after)
        question = HeldQuestion(asked, waits=Waits.APPROVAL, limit=1)
        all_of_them = await self._lists.held(question)  # makes lines anew that are out of date, and counts
        page = await self._db.readers.run(_page(question, place, limit))
        return replace(page, found=all_of_them.found, at_least=all_of_them.at_least)


def _page(
    question: HeldQuestion, place: tuple[int, str] | None, limit: int
) -> Callable[[Queries], AskedPage]:
    def read(queries: Queries) -> AskedPage:
        wanted = conditions(question, queries.connection.dialect.name)
        if wanted is None:
            return AskedPage((), "", 0)
        rows = queries.connection.execute(soonest(wanted, place, limit + 1)).all()
        last = rows[limit - 1] if len(rows) > limit else None
        after = "" if last is None else f"{last.due_at}.{last.queue_id}"
        return AskedPage(tuple([row.queue_id for row in rows[:limit]]), after, 0)

    return read


def soonest(
    wanted: list[sa.ColumnElement[bool]], place: tuple[int, str] | None, limit: int
) -> sa.Select[Any]:
    """Select mails by their first demand that is due, along the index of due demands."""
    other = second_looks.alias("other")
    sooner = sa.exists().where(
        other.c.queue_id == _S.queue_id,
        other.c.due_at.is_not(None),
        sa.tuple_(other.c.due_at, other.c.number) < sa.tuple_(_S.due_at, _S.number),
    )
    behind = [] if place is None else [sa.tuple_(_S.due_at, _S.queue_id) > sa.tuple_(*map(sa.literal, place))]
    return (
        select(_S.queue_id, _S.due_at)
        .join_from(second_looks, listings, listings.c.queue_id == _S.queue_id)
        .where(_S.due_at.is_not(None), ~sooner, *wanted, *behind)
        .order_by(_S.due_at, _S.queue_id)
        .limit(limit)
    )


def _read(after: str) -> tuple[int, str] | None:
    if not after:
        return None
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise ValueError("not a place in this list")
    return int(found[1]), found[2]
