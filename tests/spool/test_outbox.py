"""More notices than one statement takes: taken, finished all or none, and each row known by more than its number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.spool.contract import Spool
from gateway.spool.notice import Notice
from gateway.spool.sql import SqlSpool
from gateway.spool.statements import AT_ONCE
from tests.spool.mails import mail

COUNTS = [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 1]


async def held(spool: Spool, count: int) -> list[Notice]:
    """Accept so many mails; return what waits to be told of them."""
    for _ in range(count):
        await spool.accept(mail(held=1, notify_sender=True))
    return list(await spool.notices.pending(3 * AT_ONCE))


@pytest.mark.parametrize("count", COUNTS)
async def test_all_are_taken_and_all_are_finished(spool: SqlSpool, count: int) -> None:
    notices = await held(spool, count)
    assert len(notices) == count
    assert await spool.notices.pending(3 * AT_ONCE) == notices, "what was taken stays ours"
    assert await spool.notices.finish(notices, mail(queued=1, sender=None, from_gateway=True)) is not None
    assert await spool.notices.pending(3 * AT_ONCE) == []


@pytest.mark.parametrize("place", [0, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1])
async def test_one_that_is_gone_keeps_all_others(spool: SqlSpool, place: int) -> None:
    notices = await held(spool, AT_ONCE + 2)
    await spool.notices.finish([notices[place]], None)
    assert await spool.notices.finish(notices, mail(queued=1, sender=None, from_gateway=True)) is None
    left = [notice for notice in notices if notice is not notices[place]]
    assert await spool.notices.pending(3 * AT_ONCE) == left


async def test_one_whose_number_came_again_keeps_all_others(spool: SqlSpool) -> None:
    notices = await held(spool, AT_ONCE + 2)
    swapped = [replace(notices[0], queue_id=notices[1].queue_id), *notices[1:]]
    assert await spool.notices.finish(swapped, mail(queued=1, sender=None, from_gateway=True)) is None
    assert await spool.notices.pending(3 * AT_ONCE) == notices
