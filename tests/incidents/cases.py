"""What the tests of incidents begin with: a mail that left, who reports it, and what they tell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.incidents.contract import Account, Data, What
from gateway.incidents.door import Incidents
from gateway.spool.list_contract import Whose
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, NewMessage
from tests.spool.mails import SENDER, T0, mail
from tests.spool.sharing import deliver

OFFICER = "privacy@city.example.lg.jp"
WARD = "sports-section@city.example.lg.jp"
CLERK = Actor("sender", str(SENDER))
OFFICIAL = Actor("ordering-body", WARD)
WHOSE = Whose(frozenset({SENDER.key}), "clerk", frozenset({"sports"}))
LATER = T0 + timedelta(hours=1)


def ordering(groups: Collection[str]) -> Collection[str]:
    return (WARD,) if "sports" in groups else ()


def account(*wrong: int, persons: int | None = 12, description: str = "", known: datetime = LATER) -> Account:
    data = frozenset({Data.NAME, Data.MAIL_ADDRESS})
    return Account(What.WRONG_RECIPIENTS, wrong, data, persons, known, description)


def several(held: int, gone: int) -> NewMessage:
    """Return a mail of which the last `gone` recipients get a copy at once, outside as the others."""
    new = mail(held=held, queued=gone)
    internal = replace(new.decision, internal=("sports.example.jp", "city.example.lg.jp"))
    return replace(new, decision=internal, groups=("sports",))


async def left(spool: SqlSpool, held: int = 1, gone: int = 2) -> str:
    """Accept such a mail and deliver what leaves at once."""
    queue_id = await spool.accept(several(held, gone))
    await deliver(spool)
    return queue_id


async def opened(
    spool: SqlSpool, incidents: Incidents, *wrong: int, persons: int | None = 12, gone: int = 2
) -> str:
    """Open an incident about a mail that left; return its queue id."""
    queue_id = await left(spool, gone=gone)
    message = await spool.get(queue_id)
    told = account(*wrong, persons=persons, description="取り違えました")
    assert await incidents.open(message, WHOSE, told, CLERK, LATER)
    return queue_id


async def letters(spool: SqlSpool, kind: NoticeKind) -> list[Notice]:
    return [notice for notice in await spool.notices.pending(1_000) if notice.kind is kind]
