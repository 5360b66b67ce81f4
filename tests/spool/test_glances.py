"""What a letter of many is told of each message: the same as the whole message tells, however many are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.message.address import Address
from gateway.message.status_request import MailRequest, Return
from gateway.spool.contract import Spool
from gateway.spool.glance import ADDRESSES
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import Glance
from gateway.spool.sql import SqlSpool
from gateway.spool.statements import GLANCED
from gateway.spool.values import Actor, NewMessage
from gateway.store.schema import messages
from tests.memory_spool import glance_of
from tests.spool.mails import LEASE, T0, WINDOW, mail

BY_ADMIN = (Actor("admin", "root"), Reason.BY_ADMIN)
BY_SENDER = (Actor("sender", "clerk@sports.example.jp"), Reason.BY_SENDER)


async def from_the_whole(spool: Spool, queue_id: str) -> Glance:
    return glance_of(await spool.get(queue_id))


async def put(spool: SqlSpool, queue_id: str, **columns: str) -> None:
    """Write what no version of ours would."""
    update = messages.update().where(messages.c.queue_id == queue_id).values(**columns)
    await spool.database.committer.run(lambda tx: tx.connection.execute(update).rowcount)


async def test_each_glance_says_what_the_whole_message_says(spool: SqlSpool) -> None:
    mails = [mail(held=held, queued=queued) for held in range(ADDRESSES + 2) for queued in (1, 12)]
    ids = [await spool.accept(new) for new in mails]
    assert await spool.notices.glances(ids) == [await from_the_whole(spool, queue_id) for queue_id in ids]


async def test_they_come_in_order_and_one_that_is_gone_is_none(spool: SqlSpool) -> None:
    one, two = [await spool.accept(mail(held=count, queued=1)) for count in (1, 2)]
    first, second = await from_the_whole(spool, one), await from_the_whole(spool, two)
    assert await spool.notices.glances([]) == []
    assert await spool.notices.glances(["NOSUCH"]) == [None]
    assert await spool.notices.glances([two, "NOSUCH", one, two]) == [second, None, first, second]


@pytest.mark.parametrize("count", [GLANCED - 1, GLANCED, GLANCED + 1, 2 * GLANCED + 1])
async def test_more_than_fit_into_one_statement(spool: SqlSpool, count: int) -> None:
    ids = [await spool.accept(mail(held=1, subject=f"{number}")) for number in range(count)]
    seen = await spool.notices.glances([*reversed(ids)])
    assert [glance and glance.subject for glance in seen] == [f"{n}" for n in reversed(range(count))]


async def test_what_was_cancelled_released_or_moved_is_seen_as_it_is_now(spool: SqlSpool) -> None:
    firm = timedelta(minutes=2)
    ids = [await spool.accept(mail(held=12, queued=1, firm=firm)) for _ in range(4)]
    await spool.cancel(ids[1], {0, 1, 3}, *BY_ADMIN, T0)
    await spool.cancel(ids[2], None, *BY_ADMIN, T0)
    await spool.release(ids[3], {5}, *BY_SENDER, T0)  # sooner, but not before the firm part of its window
    whole, some, none, moved = [glance for glance in await spool.notices.glances(ids) if glance is not None]
    assert [whole, some, none, moved] == [await from_the_whole(spool, queue_id) for queue_id in ids]
    assert (whole.held, whole.total, whole.outside, whole.ends_at) == (12, 13, 12, T0 + WINDOW)
    assert (some.held, some.addresses) == (9, ("r2@example.com", "r4@example.com", "r5@example.com"))
    assert (none.held, none.ends_at, none.addresses) == (0, None, ())
    assert (moved.held, moved.ends_at) == (12, T0 + firm)


async def test_only_held_recipients_outside_count_as_outside(spool: SqlSpool) -> None:
    new = mail(held=3)
    (held, free) = new.decision.outcomes
    decision = replace(new.decision, outcomes=(held, replace(held, external=False), free), assigned=(1, 0, 1))
    queue_id = await spool.accept(replace(new, decision=decision))
    (glance,) = await spool.notices.glances([queue_id])
    assert glance is not None
    assert (glance.held, glance.outside) == (3, 1)


def odd_addresses() -> NewMessage:
    new = mail(held=2)
    to = (Address("suz\udcffuki", "example.net"), Address('"a@b"', "example.com", ambiguous=True))
    return replace(new, envelope=replace(new.envelope, recipients=to, asked=MailRequest(Return.FULL, "e1")))


async def test_odd_addresses_and_an_envelope_of_the_second_version(spool: SqlSpool) -> None:
    queue_id = await spool.accept(odd_addresses())
    (glance,) = await spool.notices.glances([queue_id])
    assert glance == await from_the_whole(spool, queue_id)
    assert glance.addresses == ("suz\udcffuki@example.net", '"a@b"@example.com')


BROKEN = ("", "[]", '{"v":3}', '{"v":1}', '{"v":1,"recipients":[],"assigned":[]}', "\x7f{")


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("column", ["envelope", "decision"])
async def test_one_that_cannot_be_read_hides_no_other(spool: SqlSpool, column: str, text: str) -> None:
    ids = [await spool.accept(mail(held=1)) for _ in range(3)]
    await put(spool, ids[1], **{column: text})
    before, broken, after = await spool.notices.glances(ids)
    assert broken == Glance(ids[1], T0, "教室のお知らせ", unreadable=True)
    assert [before, after] == [await from_the_whole(spool, ids[0]), await from_the_whole(spool, ids[2])]


async def test_what_left_is_no_longer_held(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=2))
    await spool.release_due(T0 + WINDOW, 10)
    await spool.claim(T0 + WINDOW, 10, LEASE)
    (glance,) = await spool.notices.glances([queue_id])
    assert glance is not None
    assert (glance.held, glance.ends_at) == (0, None)
    assert [row.state for row in (await spool.get(queue_id)).recipients] == [State.ACTIVE] * 2
