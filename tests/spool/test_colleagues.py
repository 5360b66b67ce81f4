"""A colleague's stop on both stores: everybody outside who can be, the truth about the others, and the sender hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.policy.demands import Demands
from gateway.spool.contract import UnknownMessage
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.spool.values import NewMessage
from gateway.store.where import Where
from tests.spool.asking import CHIEF, approval, asking
from tests.spool.mails import MINUTE, SENDER, T0
from tests.spool.test_second_look import events, states

HELD, QUEUED, CANCELLED = State.HELD, State.QUEUED, State.CANCELLED


def stoppable(*, outside: int = 2, inside: int = 1, by_letter: bool = False, copied: int = 0) -> NewMessage:
    """Return a mail whose `inside` recipients get it at once; the last `copied` of those outside are copies."""
    new = asking(outside=outside, inside=inside, window=timedelta(minutes=10))
    return replace(
        new,
        decision=replace(
            new.decision, colleagues_may_stop=True, colleagues_by_letter=by_letter, copied=copied
        ),
    )


async def test_everybody_outside_is_stopped_and_the_sender_hears_who_and_why(
    spool: SqlSpool, where: Where
) -> None:
    queue_id = await spool.accept(stoppable())
    change = await spool.consents.stop_by_colleague(queue_id, 2, "宛先が違います\nr0", T0 + MINUTE)
    assert change.done == (0, 1)
    assert change.not_done == ()
    assert await states(spool, queue_id) == [CANCELLED, CANCELLED, QUEUED]
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.to, notice.recipients) == (NoticeKind.STOPPED, str(SENDER), (0, 1))
    assert notice.actor.partition("\n")[::2] == ("r2@example.com", "宛先が違います\nr0")
    assert (Kind.CANCELLED, Reason.BY_COLLEAGUE, "0-1") in events(where, queue_id)


async def test_what_waits_for_people_is_stopped_too(spool: SqlSpool) -> None:
    new = asking(approval(CHIEF), inside=1)
    queue_id = await spool.accept(replace(new, decision=replace(new.decision, colleagues_may_stop=True)))
    assert (await spool.consents.stop_by_colleague(queue_id, 2, "x", T0 + MINUTE)).done == (0, 1)
    await spool.consents.pass_deadlines(T0 + timedelta(hours=5), 10)
    assert NoticeKind.TIMED_OUT not in {each.kind for each in await spool.notices.pending(10)}


async def test_what_has_left_is_told_truthfully(spool: SqlSpool) -> None:
    queue_id = await spool.accept(stoppable())
    await spool.release_due(T0 + 11 * MINUTE, 10)
    claims = await spool.claim(T0 + 11 * MINUTE, 1, 5 * MINUTE)
    leaving = {row.index for claim in claims for row in claim.message.recipients}
    change = await spool.consents.stop_by_colleague(queue_id, 2, "x", T0 + 11 * MINUTE)
    assert {index for index, _ in change.not_done} == leaving & {0, 1}
    assert set(change.done) == {0, 1} - leaving
    again = await spool.consents.stop_by_colleague(queue_id, 2, "x", T0 + 12 * MINUTE)
    assert again.done == ()
    assert len(again.not_done) == 2


async def test_stopping_twice_tells_the_sender_once(spool: SqlSpool) -> None:
    queue_id = await spool.accept(stoppable())
    for _ in range(2):
        await spool.consents.stop_by_colleague(queue_id, 2, "x", T0 + MINUTE)
    assert len(await spool.notices.pending(10)) == 1


@pytest.mark.parametrize("recipient", [0, 1, 3, -1, 10**9])
async def test_nobody_else_may(spool: SqlSpool, recipient: int) -> None:
    queue_id = await spool.accept(stoppable())
    with pytest.raises(UnknownMessage):
        await spool.consents.stop_by_colleague(queue_id, recipient, "x", T0 + MINUTE)
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]


async def test_a_rule_that_does_not_ask_for_it_lets_nobody(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(inside=1, window=timedelta(minutes=10)))
    with pytest.raises(UnknownMessage):
        await spool.consents.stop_by_colleague(queue_id, 2, "x", T0 + MINUTE)


async def test_a_copy_that_a_rule_added_is_stopped_with_the_last_and_never_told_of(spool: SqlSpool) -> None:
    held = Demands(window=timedelta(minutes=10))
    new = stoppable(outside=1, inside=0)
    outcomes = (new.decision.outcomes[0], replace(new.decision.outcomes[1], demands=held))
    everybody = (*new.envelope.recipients, *stoppable(inside=2).envelope.recipients[1:3])
    decision = replace(
        new.decision, outcomes=(*outcomes, new.decision.outcomes[1]), assigned=(0, 2, 1), copied=1
    )
    queue_id = await spool.accept(
        replace(new, envelope=replace(new.envelope, recipients=everybody), decision=decision)
    )
    change = await spool.consents.stop_by_colleague(queue_id, 1, "x", T0 + MINUTE)
    assert change.done == (0,)
    assert await states(spool, queue_id) == [
        CANCELLED,
        QUEUED,
        HELD,
    ]  # the colleague has the mail: so may the copy


async def test_letters_go_to_colleagues_where_the_copy_cannot_carry_the_link(spool: SqlSpool) -> None:
    await spool.accept(stoppable(inside=2, by_letter=True))
    told = [(each.kind, each.to, each.recipients) for each in await spool.notices.pending(10)]
    assert told == [
        (NoticeKind.COLLEAGUE, "r2@example.com", (2,)),
        (NoticeKind.COLLEAGUE, "r3@example.com", (3,)),
    ]
