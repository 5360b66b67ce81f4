"""Taking a mail back on both stores: everything is stopped that can be, and what is said of the rest is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.audit import testimony
from gateway.audit.log import EventLog
from gateway.message.address import Address
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands
from gateway.policy.handling import Handling
from gateway.policy.protection import How, Way
from gateway.spool.contract import UnknownMessage
from gateway.spool.key_contract import NoKey, Stage
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.share_contract import NoShare, TakenBack
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, NewMessage
from gateway.store.database import event_seal
from gateway.store.schema import messages
from gateway.store.where import Where
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, WINDOW, Ticks, deferred, delivered, unanswered
from tests.spool.sharing import (
    DAY,
    FIRST,
    HOUR,
    SECOND,
    VISITOR,
    copied_to,
    deliver,
    events,
    linked,
    opened,
    sent,
)

CLERK = Actor("sender", str(SENDER))
ADMIN = Actor("admin", "root")
LINK = Handling(("links",), ((FIRST, How.LINK), (SECOND, How.LINK)))
SEALED = Handling(
    ("seals",), ((FIRST, How.ZIP_AES256),), needs_key=True, way=Way.SMS, ways=(Way.SMS,), own_key=True
)
MIXED = replace(SEALED, forms=((FIRST, How.ZIP_AES256), (SECOND, How.LINK)))


def mail(*handlings: Handling | None, held: int = 0) -> NewMessage:
    """Return a mail with a recipient for each handling; the first `held` of them wait for the window."""
    base = linked(1)
    outcomes = tuple(
        Outcome(True, Demands(window=WINDOW if n < held else timedelta(0)), rules=("r",), handling=handling)
        for n, handling in enumerate(handlings)
    )
    addresses = tuple(Address(f"r{n}", "example.com") for n in range(len(handlings)))
    return replace(
        base,
        envelope=replace(base.envelope, recipients=addresses),
        decision=replace(base.decision, outcomes=outcomes, assigned=tuple(range(len(handlings)))),
    )


async def take(spool: SqlSpool, queue_id: str, *recipients: int, actor: Actor = CLERK) -> TakenBack:
    return await spool.shares.take_back(queue_id, recipients or None, actor, T0 + HOUR)


def told(taken: TakenBack) -> Mapping[str, tuple[int, ...]]:
    every = {
        "stopped": taken.stopped,
        "locked": taken.locked,
        "opened": tuple([index for index, _ in taken.opened]),
        "unkeyed": taken.unkeyed,
        "gone": taken.gone,
    }
    return {word: indexes for word, indexes in every.items() if indexes}


async def send_key(spool: SqlSpool, queue_id: str, index: int) -> None:
    """Let the carrier take the key of one recipient."""
    for sending in await spool.keys.due_sendings(T0 + MINUTE, 100, LEASE):
        if sending.recipient == index:
            await spool.keys.sent(sending, "carrier:1", T0 + MINUTE)
        else:
            await spool.keys.not_sent(sending, "unreachable", T0 + DAY, T0 + MINUTE)


async def test_each_recipient_is_told_as_it_is(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, mail(LINK, LINK, LINK, SEALED, None, MIXED, MIXED, held=1))
    await opened(spool, queue_id, 2, T0 + MINUTE)
    taken = await take(spool, queue_id)
    assert told(taken) == {
        "stopped": (0,),
        "locked": (1, 5, 6),
        "opened": (2,),
        "unkeyed": (3,),
        "gone": (4,),
    }
    assert taken.opened == ((2, T0 + MINUTE),)
    assert taken.at == T0 + HOUR
    for index in (0, 1, 2, 5, 6):
        with pytest.raises(NoShare):
            await spool.shares.get(queue_id, index, T0 + HOUR)
    with pytest.raises(NoShare):
        await spool.shares.fetch(queue_id, 2, FIRST, VISITOR, T0 + HOUR)
    stages = {status.recipient: status.stage for status in await spool.keys.statuses(queue_id)}
    assert set(stages.values()) == {Stage.STOPPED}
    assert await spool.keys.due_sendings(T0 + DAY, 100, LEASE) == []
    assert (Kind.TAKEN_BACK, Reason.BY_SENDER, "0-6") in events(where, queue_id, MASTER)


async def test_a_key_that_went_is_gone(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(SEALED, SEALED, MIXED))
    await send_key(spool, queue_id, 0)
    taken = await take(spool, queue_id)
    assert 0 in taken.gone
    assert 0 not in taken.unkeyed


async def test_a_link_does_not_hide_a_key_that_went(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(MIXED))
    await send_key(spool, queue_id, 0)
    assert told(await take(spool, queue_id)) == {"gone": (0,)}


async def test_a_key_that_the_sender_saw_may_be_known(spool: SqlSpool) -> None:
    by_sender = replace(SEALED, way=Way.SENDER, ways=(Way.SENDER,))
    queue_id = await sent(spool, mail(by_sender))
    await spool.keys.show(queue_id, CLERK, T0 + MINUTE)
    assert told(await take(spool, queue_id)) == {"gone": (0,)}
    other = await sent(spool, mail(by_sender))
    assert told(await take(spool, other)) == {"unkeyed": (0,)}
    with pytest.raises(NoKey):
        await spool.keys.show(other, CLERK, T0 + HOUR)


async def test_asked_again_it_says_the_same(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(LINK, LINK, LINK, SEALED, None, held=1))
    await opened(spool, queue_id, 2)
    first = await take(spool, queue_id)
    assert await take(spool, queue_id) == first
    assert told(await take(spool, queue_id, 3)) == {"unkeyed": (3,)}


async def test_some_of_the_recipients(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(LINK, LINK, None))
    assert told(await take(spool, queue_id, 0, 77)) == {"locked": (0,)}
    assert await spool.shares.get(queue_id, 1, T0 + HOUR)


async def test_what_is_being_sent_is_taken_back_too(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(LINK, SEALED))
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert told(await take(spool, queue_id)) == {"locked": (0,), "unkeyed": (1,)}
    await spool.record(claim, [delivered(0), delivered(1)], T0 + MINUTE)
    with pytest.raises(NoShare):
        await spool.shares.get(queue_id, 0, T0 + MINUTE)
    assert await spool.keys.due_sendings(T0 + DAY, 100, LEASE) == []


async def test_what_may_have_arrived_is_not_called_stopped(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(None, LINK, SEALED))
    (claim,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claim, [unanswered(index, T0 + DAY) for index in range(3)], T0)
    taken = await take(spool, queue_id)
    assert told(taken) == {"locked": (1,), "unkeyed": (2,), "gone": (0,)}
    assert {row.state for row in (await spool.get(queue_id)).recipients} == {State.CANCELLED}


async def test_a_sender_does_not_reach_a_copy(spool: SqlSpool) -> None:
    queue_id = await sent(spool, copied_to(mail(LINK, LINK)))
    assert told(await take(spool, queue_id)) == {"locked": (0,)}
    assert await spool.shares.get(queue_id, 1, T0 + HOUR)
    assert told(await take(spool, queue_id, actor=ADMIN)) == {"locked": (0, 1)}


async def test_a_second_mail_that_has_not_left_does_not_leave(spool: SqlSpool) -> None:
    second = replace(SEALED, way=Way.SECOND_MAIL, ways=(Way.SECOND_MAIL,))
    queue_id = await sent(spool, mail(second, second))
    sendings = await spool.keys.due_sendings(T0 + DAY, 100, LEASE)
    assert len(sendings) == 2
    own = [await spool.accept(replace(linked(1), from_gateway=True)) for _ in sendings]
    for sending, mail_id in zip(sendings, own, strict=True):
        await spool.keys.sent(sending, f"mail:{mail_id}", T0)
    (claim,) = await spool.claim(T0 + DAY, 1, LEASE)
    left = own.index(claim.message.queue_id)
    await spool.record(claim, [delivered(0)], T0)
    taken = await take(spool, queue_id)
    assert told(taken) == {"gone": (sendings[left].recipient,), "unkeyed": (sendings[1 - left].recipient,)}
    await deliver(spool, T0 + 2 * DAY)
    state = (await spool.get(own[1 - left])).recipients[0].state
    assert state is State.CANCELLED


async def test_a_record_that_cannot_be_read_is_taken_back_all_the_same(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(LINK, LINK, held=1))
    await spool.database.committer.run(
        lambda tx: tx.connection.execute(messages.update().values(decision="{}")) and None
    )
    assert told(await take(spool, queue_id, actor=ADMIN)) == {"stopped": (0,), "gone": (1,)}
    with pytest.raises(NoShare):
        await spool.shares.get(queue_id, 1, T0 + HOUR)


async def test_a_mail_without_any_files(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(None, None, held=1))
    assert told(await take(spool, queue_id, actor=ADMIN)) == {"stopped": (0,), "gone": (1,)}
    assert [notice.kind for notice in await spool.notices.pending(10)] == [NoticeKind.CANCELLED]
    with pytest.raises(UnknownMessage):
        await take(spool, "5Q00000000000000")


async def test_the_log_says_who_opened_and_that_nobody_did(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked(2, inside=1))
    visitor = await opened(spool, queue_id, 1)
    await spool.shares.fetch(queue_id, 1, FIRST, visitor, T0 + MINUTE)
    await spool.shares.take_back(queue_id, [0], CLERK, T0 + HOUR)
    with EventLog(where) as log:
        made = testimony.testify(log, queue_id, event_seal(MASTER), T0 + HOUR)
    first, second = made.witnesses
    assert (made.complete, made.proof.sealed, made.nobody_opened) == (True, True, False)
    assert (first.address, first.untouched, first.ended_at) == ("r0@example.com", True, T0 + HOUR)
    assert [each.client for each in second.opened] == ["192.0.2.7"]
    assert [(each.place, each.at) for each in second.fetched] == [(FIRST, T0 + MINUTE)]
    assert made.taken_back_at == T0 + HOUR
    assert made.proof.last[0][1] == made.proof.events


async def test_what_happened_since_a_backup_nobody_knows(spool: SqlSpool, where: Where) -> None:
    by_sender = replace(SEALED, way=Way.SENDER, ways=(Way.SENDER,))
    before = await sent(spool, mail(LINK, by_sender, LINK))
    earlier = await take(spool, before, 2)
    note = {"backup": "", "held": 0, "resume": False}
    await spool.note(Kind.RESTORED, Reason.RESTORED, ADMIN, note, T0 + 2 * HOUR)
    assert told(earlier) == told(await take(spool, before, 2)) == {"locked": (2,)}
    taken = await spool.shares.take_back(before, None, CLERK, T0 + 3 * HOUR)
    assert told(taken) == {"locked": (2,), "gone": (0, 1)}
    assert told(await spool.shares.take_back(before, None, CLERK, T0 + 4 * HOUR)) == told(taken)
    with EventLog(where) as log:
        made = testimony.testify(log, before, event_seal(MASTER), T0 + 4 * HOUR)
    assert made.proof.intact
    assert not made.complete
    assert not made.nobody_opened


async def test_a_statement_proves_nothing_without_the_whole_log(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked(1))
    other = await sent(spool, mail(None))
    with EventLog(where) as log:
        made = testimony.testify(log, queue_id, event_seal(MASTER), T0)
        assert made.nobody_opened
        assert (
            testimony.testify(log, other, event_seal(MASTER), T0).nobody_opened is False
        )  # no file to be opened
        assert testimony.testify(log, "5Q00000000000000", event_seal(MASTER), T0).complete is False
    from gateway.store.schema import events as rows

    await spool.database.committer.run(
        lambda tx: tx.connection.execute(rows.delete().where(rows.c.queue_id == other)) and None
    )
    with EventLog(where) as log:
        made = testimony.testify(log, queue_id, event_seal(MASTER), T0)
    assert (made.complete, made.nobody_opened, made.proof.intact) == (False, False, False)


async def test_a_second_mail_that_was_written_while_it_was_taken_back_does_not_leave(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(replace(SEALED, way=Way.SECOND_MAIL, ways=(Way.SECOND_MAIL,))))
    (sending,) = await spool.keys.due_sendings(T0 + HOUR, 10, LEASE)
    await take(spool, queue_id)
    own = await spool.accept(mail(None))
    await spool.keys.sent(sending, f"mail:{own}", T0 + HOUR)
    assert [row.state for row in (await spool.get(own)).recipients] == [State.CANCELLED]
    assert [each.stage for each in await spool.keys.statuses(queue_id)] == [Stage.STOPPED]


@pytest.mark.parametrize("lost", [False, True])
async def test_a_key_that_is_being_sent_is_not_tried_again(spool: SqlSpool, lost: bool) -> None:
    queue_id = await sent(spool, mail(SEALED))
    (sending,) = await spool.keys.due_sendings(T0 + MINUTE, 10, LEASE)
    assert told(await take(spool, queue_id)) == {"gone": (0,)}
    if not lost:
        await spool.keys.not_sent(sending, "unreachable", T0 + 2 * HOUR, T0 + HOUR)
    assert await spool.keys.due_sendings(T0 + DAY, 10, LEASE) == []
    assert [each.stage for each in await spool.keys.statuses(queue_id)] == [Stage.STOPPED]
    assert not [notice for notice in await spool.notices.pending(10) if notice.kind is NoticeKind.KEY_FAILED]


async def test_a_key_that_got_there_while_it_was_taken_back_is_told_so(spool: SqlSpool) -> None:
    queue_id = await sent(spool, mail(SEALED))
    (sending,) = await spool.keys.due_sendings(T0 + MINUTE, 10, LEASE)
    await take(spool, queue_id)
    await spool.keys.sent(sending, "carrier:1", T0 + HOUR)
    assert [each.stage for each in await spool.keys.statuses(queue_id)] == [Stage.SENT]
    assert told(await take(spool, queue_id)) == {"gone": (0,)}


async def test_a_mail_under_way_that_comes_back_is_cancelled(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(mail(LINK, None, None))
    (claim,) = await spool.claim(T0, 100, LEASE)
    assert told(await take(spool, queue_id, 0, 1)) == {"locked": (0,), "gone": (1,)}
    results = [deferred(index, T0 + DAY) for index in range(3)]
    await spool.record(claim, results, T0 + MINUTE)
    states = [row.state for row in (await spool.get(queue_id)).recipients]
    assert states == [State.CANCELLED, State.CANCELLED, State.DEFERRED]
    assert told(await take(spool, queue_id, 0, 1)) == {"stopped": (0, 1)}
    assert (Kind.CANCELLED, Reason.BY_SENDER, "0-1") in events(where, queue_id, MASTER)


async def test_an_attempt_that_was_lost_after_taking_back_is_not_repeated(
    spool: SqlSpool, ticks: Ticks
) -> None:
    queue_id = await spool.accept(mail(LINK))
    assert await spool.claim(T0, 100, LEASE)
    await take(spool, queue_id)
    ticks.pass_by(LEASE)
    await spool.recover(T0 + LEASE)
    (row,) = (await spool.get(queue_id)).recipients
    assert (row.state, row.perhaps) == (State.CANCELLED, True)
    assert told(await take(spool, queue_id)) == {"locked": (0,)}
