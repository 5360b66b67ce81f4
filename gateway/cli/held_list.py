"""`sekisho held list`: which mails are held, narrowed and sorted as the pages do it (spool.lists)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway.spool.contract import UnknownMessage
from gateway.spool.list_contract import MAX_PAGE, HeldQuestion, Order, Scope, Waits
from gateway.spool.list_cursors import Place, write_cursor
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What an administrator asks for on the command line; empty for no condition."""

    limit: int
    before: str | None = None
    words: str = ""
    sender: str = ""
    recipient: str = ""
    group: str = ""
    rule: str = ""
    waits: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    order: str = Order.RECEIVED.value
    ascending: bool = False


async def found(spool: SqlSpool, asked: Asked) -> Sequence[Stored]:
    """Return the mails that the conditions find, page by page, up to the limit."""
    question = _question(asked)
    mails: list[Stored] = []
    while len(mails) < asked.limit:
        page = await spool.lists.held(replace(question, limit=min(MAX_PAGE, asked.limit - len(mails))))
        for line in page.lines:
            try:
                mails.append(await spool.get(line.queue_id))
            except UnknownMessage:  # gone since the page was read
                continue
        if not page.after:
            break
        question = replace(question, after=page.after)
    return mails


def _question(asked: Asked) -> HeldQuestion:
    question = HeldQuestion(
        Scope(everything=True),
        words=asked.words,
        sender=asked.sender,
        recipient=asked.recipient,
        group=asked.group,
        rule=asked.rule,
        waits=None if asked.waits is None else Waits(asked.waits),
        since=asked.since,
        until=asked.until,
        order=Order(asked.order),
        descending=not asked.ascending,
    )
    if asked.before is None or question.order is not Order.RECEIVED:
        return question
    return replace(question, after=write_cursor(question, Place(asked.before, asked.before)))
