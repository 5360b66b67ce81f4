"""`spool.lists`: held mail as people ask for it, a page at a time, and whose a mail is.

A question becomes one statement over the narrow rows of `listings`, which holds what is held and nothing else; only the lines
of one page are looked up in the mails themselves. What somebody may see is part of the statement, never sorted out afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from gateway.message.facts import Facts
from gateway.spool import relisting
from gateway.spool.contract import known
from gateway.spool.list_conditions import conditions, key_of, order_of, passed
from gateway.spool.list_contract import (
    MAX_PAGE,
    Counted,
    HeldLine,
    HeldPage,
    HeldQuestion,
    Whose,
)
from gateway.spool.list_cursors import Place, read_cursor, write_cursor
from gateway.spool.listing import FAR, kinds_of, names_from
from gateway.spool.times import from_us
from gateway.store.database import Database
from gateway.store.list_tables import listings
from gateway.store.schema import messages
from gateway.store.tx import Queries

MOST_COUNTED = 100_000  # mails that a page counts: a fifth of a second at worst; more is shown as "at least"
LINES_AT_ONCE = 200  # lines made anew in one transaction: some 20 ms for whoever waits behind it
MOST_BEFORE_READING = 5_000  # lines that a reader waits for; the rest is made anew by housekeeping

_L, _M = listings.c, messages.c
_LINE = (
    *(_L.queue_id, _L.received_at, _L.due_at, _L.waits, _L.held, _L.total, _L.outside, _L.whose, _L.rules),
    *(_M.sender, _M.subject),
)


class SqlLists:
    """Implements `gateway.spool.list_contract.Lists`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def held(self, question: HeldQuestion) -> HeldPage:
        if not 0 < question.limit <= MAX_PAGE:
            raise ValueError(f"a page has 1 to {MAX_PAGE} lines, not {question.limit}")
        place = read_cursor(question)
        behind = not await self._caught_up()
        return await self._db.readers.run(_page(question, place, behind))

    async def counted(self, question: HeldQuestion) -> Counted:
        await self._caught_up()
        return await self._db.readers.run(_counted(question))

    async def line(self, queue_id: str) -> HeldLine | None:
        await self._caught_up()
        return await self._db.readers.run(_one(queue_id))

    async def whose(self, queue_id: str) -> Whose:
        return known(await self._db.readers.run(relisting.whose(queue_id)), queue_id)

    async def facts(self, queue_id: str) -> Facts | None:
        return known(await self._db.readers.run(relisting.facts(queue_id)), queue_id)[0]

    async def catch_up(self, limit: int) -> int:
        if not await self._any_stale():
            return 0
        return await self._db.committer.run(relisting.relist(limit))

    async def look_over(self, limit: int) -> int:
        """Note what a gateway of the version before held or let go; `catch_up` lists it. Return how much that was."""
        found = await self._db.readers.run(
            relisting.unnoted(limit)
        )  # looks at all that is held: no writer waits for it
        if found:
            await self._db.committer.run(relisting.note(found))
        return len(found)

    async def _any_stale(self) -> bool:
        return await self._db.readers.run(lambda queries: queries.row(relisting.ANY_STALE) is not None)

    async def _caught_up(self) -> bool:
        """Make lines anew before they are read; tell whether none is out of date."""
        for _ in range(MOST_BEFORE_READING // LINES_AT_ONCE):
            if await self.catch_up(LINES_AT_ONCE) < LINES_AT_ONCE:
                return True
        return False


def _page(question: HeldQuestion, place: Place | None, behind: bool) -> Callable[[Queries], HeldPage]:
    def read(queries: Queries) -> HeldPage:
        dialect = queries.connection.dialect.name
        wanted = conditions(question, dialect)
        if wanted is None:
            return HeldPage((), "", 0)
        rows = queries.connection.execute(_lines(question, wanted, place)).all()
        lines = tuple([_line(row) for row in rows[: question.limit] if row.held_now > 0])
        more = len(rows) > question.limit
        last = write_cursor(question, key_of(question, rows[question.limit - 1])) if more else ""
        if place is None and not more:
            return HeldPage(lines, last, len(rows), behind)
        found = _count(queries, wanted)
        return HeldPage(lines, last, min(found, MOST_COUNTED), behind or found > MOST_COUNTED)

    return read


def _one(queue_id: str) -> Callable[[Queries], HeldLine | None]:
    def read(queries: Queries) -> HeldLine | None:
        chosen = select(*_LINE).join_from(listings, messages, _L.queue_id == _M.queue_id)
        row = queries.connection.execute(chosen.where(_L.queue_id == queue_id)).first()
        return None if row is None else _line(row)

    return read


def _lines(
    question: HeldQuestion, wanted: list[sa.ColumnElement[bool]], place: Place | None
) -> sa.Select[Any]:
    """Select a page, and one line more, which tells whether there is a next one."""
    order = order_of(question)
    behind = [] if place is None else [passed(question, place)]
    chosen = (
        select(_L.queue_id)
        .where(*wanted, *behind)
        .order_by(*order)
        .limit(question.limit + 1)
        .subquery("chosen")
    )
    return (
        select(*_LINE, _L.sender.label("folded_sender"), _M.held_recipients.label("held_now"))
        .select_from(chosen)
        .join(listings, _L.queue_id == chosen.c.queue_id)
        .join(messages, _M.queue_id == chosen.c.queue_id)
        .order_by(*order)
    )


def _count(queries: Queries, wanted: list[sa.ColumnElement[bool]]) -> int:
    some: sa.Select[Any] = (
        select(sa.literal_column("1")).select_from(listings).where(*wanted).limit(MOST_COUNTED + 1)
    )
    return int(queries.connection.execute(select(sa.func.count()).select_from(some.subquery())).scalar() or 0)


def _counted(question: HeldQuestion) -> Callable[[Queries], Counted]:
    def read(queries: Queries) -> Counted:
        wanted = conditions(question, queries.connection.dialect.name)
        if wanted is None:
            return Counted(0, 0)
        sums = select(sa.func.count(), sa.func.coalesce(sa.func.sum(_L.held), 0)).where(*wanted)
        mails, recipients = queries.connection.execute(sums).one()
        return Counted(int(mails), int(recipients))

    return read


def _line(row: Any) -> HeldLine:
    names = names_from(row.whose)
    return HeldLine(
        queue_id=row.queue_id,
        received_at=from_us(row.received_at),
        sender=row.sender or "",
        subject=row.subject,
        groups=tuple([name[2:] for name in names if name.startswith("g:")]),
        held=row.held,
        total=row.total,
        outside=row.outside,
        due_at=from_us(row.due_at) if row.due_at < FAR else None,
        waits=kinds_of(row.waits),
        rules=tuple(names_from(row.rules)),
    )
