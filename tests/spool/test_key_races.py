"""Keys where several processes act at one moment: none is sent twice, none after it was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.key_leaving import SECOND_MAIL_AFTER
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Claim
from tests.spool.conftest import MASTER
from tests.spool.keyed import CLERK, keyed, sealed
from tests.spool.mails import LEASE, T0, delivered

MAILS = 24
LATER = T0 + SECOND_MAIL_AFTER


@pytest.fixture
async def other(spool: SqlSpool) -> AsyncIterator[SqlSpool]:
    """A second process's view of the same store."""
    second = open_spool(spool.database.where, MASTER, clock=lambda: T0)
    yield second
    await second.close()


async def left(spool: SqlSpool, way: Way) -> list[str]:
    """Return mails that were delivered, whose keys are due later."""
    queue_ids = [await spool.accept(keyed(sealed(way))) for _ in range(MAILS)]
    for claim in await spool.claim(T0, 100, LEASE):
        await spool.record(claim, [delivered(0)], T0)
    return queue_ids


async def test_each_key_is_leased_once(spool: SqlSpool, other: SqlSpool) -> None:
    queue_ids = await left(spool, Way.SMS)
    turns = [each.keys.due_sendings(T0, 3, LEASE) for each in (spool, other) * MAILS]
    found = [sending.queue_id for sendings in await asyncio.gather(*turns) for sending in sendings]
    assert sorted(found) == sorted(queue_ids)


async def test_a_key_is_stopped_or_leased_and_never_both(spool: SqlSpool, other: SqlSpool) -> None:
    queue_ids = await left(spool, Way.SECOND_MAIL)
    stops = [other.keys.stop(each, None, CLERK, Reason.BY_SENDER, T0) for each in queue_ids]
    leases = [spool.keys.due_sendings(LATER, 2, LEASE) for _ in queue_ids]
    answers, found = await asyncio.gather(asyncio.gather(*stops), asyncio.gather(*leases))
    stopped = {each for each, change in zip(queue_ids, answers, strict=True) if change.done}
    leased = {sending.queue_id for several in found for sending in several}
    assert stopped | leased == set(queue_ids)
    assert not stopped & leased
    for queue_id in queue_ids:
        (status,) = await spool.keys.statuses(queue_id)
        assert status.stage is (Stage.STOPPED if queue_id in stopped else Stage.SENDING)


async def test_two_who_say_the_last_ways_at_once(spool: SqlSpool, other: SqlSpool) -> None:
    queue_ids = [await spool.accept(keyed(sealed(None), sealed(None))) for _ in range(MAILS)]
    words = [
        spot.keys.supply(queue_id, [index], Way.SENDER, "", CLERK, T0)
        for queue_id in queue_ids
        for index, spot in enumerate((spool, other))
    ]
    assert all(len(change.done) == 1 for change in await asyncio.gather(*words))
    for queue_id in queue_ids:
        assert {each.state for each in (await spool.get(queue_id)).recipients} == {State.QUEUED}


async def test_two_first_deliveries_ask_the_sender_once(spool: SqlSpool, other: SqlSpool) -> None:
    for _ in range(MAILS):
        await spool.accept(keyed(sealed(), sealed()))

    async def claims(of: SqlSpool) -> list[Claim]:
        return [claim for _ in range(MAILS) for claim in await of.claim(T0, 1, LEASE, share=1)]

    mine, theirs = await claims(spool), await claims(other)
    done = [(spool, claim) for claim in mine] + [(other, claim) for claim in theirs]
    await asyncio.gather(
        *[of.record(each, [delivered(each.message.recipients[0].index)], T0) for of, each in done]
    )
    asked = [each.queue_id for each in await spool.notices.pending(1_000) if each.kind is NoticeKind.KEY]
    assert len(asked) == len(set(asked)) == MAILS
