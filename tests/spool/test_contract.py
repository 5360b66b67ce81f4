"""The contract of gateway/spool/contract.py, verb by verb, against every store."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.spool.contract import BodyUnreadable, Spool, UnknownMessage
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.values import SYSTEM, Actor, Change
from gateway.store.bodies import INLINE_LIMIT
from tests.spool.mails import (
    LEASE,
    MINUTE,
    RAW,
    SENDER,
    T0,
    WINDOW,
    Ticks,
    bounced,
    deferred,
    delivered,
    mail,
    unanswered,
)

BY_SENDER = (Actor("sender", str(SENDER)), Reason.BY_SENDER)
BY_ADMIN = (Actor("admin", "root"), Reason.BY_ADMIN)
DAY = timedelta(days=1)


async def states(spool: Spool, queue_id: str) -> list[str]:
    return [recipient.state.value for recipient in (await spool.get(queue_id)).recipients]


async def kinds(spool: Spool) -> list[NoticeKind]:
    return [notice.kind for notice in await spool.notices.pending(100)]


async def test_what_was_accepted_is_told_back_whole(spool: Spool) -> None:
    new = mail(held=2, queued=1)
    queue_id = await spool.accept(new)
    stored = await spool.get(queue_id)
    assert (stored.envelope, stored.decision, stored.subject) == (new.envelope, new.decision, new.subject)
    assert (stored.received_at, stored.size_bytes, stored.from_gateway) == (T0, len(RAW), False)
    assert [r.due_at for r in stored.recipients] == [T0 + WINDOW, T0 + WINDOW, T0]
    assert [r.external for r in stored.recipients] == [True, True, False]
    assert await states(spool, queue_id) == ["held", "held", "queued"]


async def test_queue_ids_are_short_capital_and_sort_by_time(spool: Spool) -> None:
    ids = [await spool.accept(mail(queued=1, at=T0 + n * MINUTE)) for n in range(5)]
    assert ids == sorted(ids)
    assert all(len(i) == 16 and i.isalnum() and i == i.upper() for i in ids)


@pytest.mark.parametrize("size", [0, 1, INLINE_LIMIT, INLINE_LIMIT + 1, (1 << 20) * 2, (1 << 20) * 2 + 1])
async def test_the_octets_come_back_as_they_were(spool: Spool, size: int) -> None:
    raw = os.urandom(size)
    assert await spool.raw(await spool.accept(mail(queued=1, raw=raw))) == raw


async def test_an_unknown_queue_id_is_said_to_be_unknown(spool: Spool) -> None:
    for verb in (
        spool.get("NOSUCH"),
        spool.raw("NOSUCH"),
        spool.cancel("NOSUCH", None, *BY_SENDER, T0),
        spool.release("NOSUCH", None, *BY_ADMIN, T0),
    ):
        with pytest.raises(UnknownMessage):
            await verb


async def test_cancel_some_then_all_then_too_late(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=3, queued=1))
    assert await spool.cancel(queue_id, [1, 99], *BY_SENDER, T0) == Change((1,), ())
    (claimed,) = await spool.claim(T0, 10, LEASE)
    told = await spool.cancel(queue_id, None, *BY_SENDER, T0)
    assert told == Change((0, 2), ((1, State.CANCELLED), (3, State.ACTIVE)))
    assert await spool.record(claimed, [delivered(3)], T0) == Change((3,), ())
    assert await states(spool, queue_id) == ["cancelled", "cancelled", "cancelled", "delivered"]
    assert await spool.release_due(T0 + WINDOW, 10) == 0


async def test_release_due_takes_what_is_due_and_no_more(spool: Spool) -> None:
    first = await spool.accept(mail(held=2))
    await spool.accept(mail(held=1, at=T0 + MINUTE))
    assert await spool.next_due() == T0 + WINDOW
    assert await spool.release_due(T0 + WINDOW - timedelta(microseconds=1), 10) == 0
    assert await spool.release_due(T0 + WINDOW, 1) == 1
    assert await spool.release_due(T0 + WINDOW, 10) == 1
    assert await states(spool, first) == ["queued", "queued"]
    assert await spool.next_due() == T0 + WINDOW


async def test_the_sender_waives_only_what_is_not_firm(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=2, queued=1, firm=3 * MINUTE))
    change = await spool.release(queue_id, None, *BY_SENDER, T0 + MINUTE)
    assert change == Change((), ((0, State.HELD), (1, State.HELD), (2, State.QUEUED)))
    assert [r.due_at for r in (await spool.get(queue_id)).recipients] == [T0 + 3 * MINUTE] * 2 + [T0]
    assert await spool.release(queue_id, [0], *BY_SENDER, T0 + 3 * MINUTE) == Change((0,), ())
    assert await spool.release(queue_id, [1], *BY_ADMIN, T0 + MINUTE) == Change((1,), ())


async def test_the_firm_part_never_makes_a_hold_longer(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=1, window=MINUTE, firm=MINUTE))
    assert (await spool.release(queue_id, None, *BY_SENDER, T0)).not_done == ((0, State.HELD),)
    assert (await spool.get(queue_id)).recipients[0].due_at == T0 + MINUTE


async def test_a_claim_leases_oldest_first_and_counts_the_attempt(spool: Spool) -> None:
    young = await spool.accept(mail(queued=2, at=T0 + MINUTE))
    old = await spool.accept(mail(queued=2, at=T0))
    claims = await spool.claim(T0 + MINUTE, 3, LEASE)
    assert [(c.message.queue_id, len(c.message.recipients)) for c in claims] == [(old, 2), (young, 1)]
    assert {r.attempts for c in claims for r in c.message.recipients} == {1}
    assert len(claims[1].message.envelope.recipients) == 2
    assert claims[0].lease_until == T0 + MINUTE + LEASE
    assert [len(c.message.recipients) for c in await spool.claim(T0 + MINUTE, 10, LEASE)] == [1]


async def test_a_deferred_recipient_comes_back_when_its_time_has_come(spool: Spool) -> None:
    queue_id = await spool.accept(mail(queued=1))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [deferred(0, T0 + 7 * MINUTE)], T0)
    assert await spool.next_due() == T0 + 7 * MINUTE
    assert await spool.claim(T0 + 6 * MINUTE, 10, LEASE) == []
    (again,) = await spool.claim(T0 + 7 * MINUTE, 10, LEASE)
    assert (again.message.recipients[0].attempts, again.message.recipients[0].reply) == (2, "451 later")
    assert (await spool.get(queue_id)).recipients[0].due_at is None


async def test_mail_that_nothing_holds_can_be_leased_as_it_is_accepted(spool: Spool) -> None:
    queue_id, claimed = await spool.accept_and_claim(mail(held=1, queued=2), LEASE)
    assert claimed is not None
    assert await states(spool, queue_id) == ["held", "active", "active"]
    found = await spool.get(queue_id)
    assert claimed.message == replace(found, recipients=found.recipients[1:])
    assert claimed.lease_until == T0 + LEASE
    assert await spool.claim(T0, 10, LEASE) == []
    assert (await spool.figures()).by_state == {
        **dict.fromkeys(State, 0),
        State.HELD: 1,
        State.ACTIVE: 2,
    }
    change = await spool.record(claimed, [delivered(1), deferred(2, T0 + MINUTE)], T0)
    assert change.done == (1, 2)
    assert await states(spool, queue_id) == ["held", "delivered", "deferred"]


async def test_what_is_held_is_not_leased(spool: Spool) -> None:
    queue_id, claimed = await spool.accept_and_claim(mail(held=2), LEASE)
    assert claimed is None
    assert await states(spool, queue_id) == ["held", "held"]


async def test_a_lease_that_came_with_acceptance_is_not_cancelled_and_ends_like_any_other(
    spool: Spool, ticks: Ticks
) -> None:
    queue_id, claimed = await spool.accept_and_claim(mail(queued=1), LEASE)
    assert claimed is not None
    assert (await spool.cancel(queue_id, None, *BY_SENDER, T0)).not_done == ((0, State.ACTIVE),)
    ticks.pass_by(LEASE)
    assert await spool.recover(T0 + LEASE) == 1
    assert (await spool.get(queue_id)).recipients[0].perhaps
    assert (await spool.record(claimed, [delivered(0)], T0 + LEASE)).done == ()


async def test_what_was_stored_for_a_caller_that_went_is_given_back_at_once(spool: Spool) -> None:
    storing = asyncio.create_task(spool.accept_and_claim(mail(queued=1), LEASE))
    await asyncio.sleep(0)
    storing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await storing
    await spool.accept(mail(held=1))  # commits come in order
    assert await spool.recover(T0) == 1
    (claimed,) = await spool.claim(T0, 10, LEASE)
    assert len(claimed.message.recipients) == 1


async def test_indexes_that_no_recipient_has_are_not_answered_for(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=3))
    change = await spool.cancel(queue_id, [-1, 2, 3, 10**30], *BY_ADMIN, T0)
    assert change == Change((2,), ())


async def test_a_large_mail_gets_its_share_and_the_others_go(spool: Spool) -> None:
    large = await spool.accept(mail(queued=20))
    small = await spool.accept(mail(queued=2, at=T0 + timedelta(seconds=1)))
    claims = await spool.claim(T0 + MINUTE, 10, LEASE, share=5)
    assert [(c.message.queue_id, len(c.message.recipients)) for c in claims] == [(large, 5), (small, 2)]
    assert await spool.claim(T0 + MINUTE, 10, LEASE, share=5, crowded=[large]) == []
    (rest,) = await spool.claim(T0 + MINUTE, 10, LEASE, share=5, crowded=["NOSUCH"])
    assert [r.index for r in rest.message.recipients] == [5, 6, 7, 8, 9]


async def test_a_late_result_changes_nothing_and_says_so(spool: Spool, ticks: Ticks) -> None:
    queue_id = await spool.accept(mail(queued=1))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    late = T0 + LEASE + timedelta(microseconds=1)
    ticks.pass_by(late - T0)
    assert await spool.record(claimed, [delivered(0)], late) == Change((), ((0, State.ACTIVE),))
    assert await spool.recover(late) == 1
    assert await spool.record(claimed, [delivered(0)], T0) == Change((), ((0, State.DEFERRED),))
    (again,) = await spool.claim(late, 10, LEASE)
    assert await spool.record(claimed, [delivered(0)], late) == Change((), ((0, State.ACTIVE),))
    assert await spool.record(again, [delivered(0)], late) == Change((0,), ())
    assert await states(spool, queue_id) == ["delivered"]


async def test_a_running_lease_is_not_taken_back(spool: Spool) -> None:
    await spool.accept(mail(queued=1))
    await spool.claim(T0, 10, LEASE)
    assert await spool.recover(T0 + MINUTE) == 0


@pytest.mark.parametrize("step", [LEASE * 100, -LEASE * 100])
async def test_own_leases_run_by_a_clock_that_does_not_step(
    spool: Spool, ticks: Ticks, step: timedelta
) -> None:
    """A wall clock that is put forward or back neither takes own work away nor keeps what is over."""
    queue_id = await spool.accept(mail(queued=2))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    assert await spool.recover(T0 + step) == 0
    assert await spool.record(claimed, [delivered(0)], T0 + step) == Change((0,), ())
    ticks.pass_by(LEASE)
    assert await spool.record(claimed, [delivered(1)], T0 + step) == Change((), ((1, State.ACTIVE),))
    assert await spool.recover(T0 + step) == 1
    assert await states(spool, queue_id) == ["delivered", "deferred"]


async def test_a_cancel_says_who_may_have_it_already(spool: Spool, ticks: Ticks) -> None:
    """A message that was sent to its end without an answer may have arrived, whatever later attempts say."""
    queue_id = await spool.accept(mail(queued=3))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [unanswered(0, T0), deferred(1, T0), delivered(2)], T0)
    (again,) = await spool.claim(T0, 10, LEASE)
    await spool.record(again, [deferred(0, T0), deferred(1, T0)], T0)
    assert [row.perhaps for row in (await spool.get(queue_id)).recipients] == [True, False, False]
    change = await spool.cancel(queue_id, None, *BY_SENDER, T0)
    assert change == Change((0, 1), ((2, State.DELIVERED),), perhaps=(0,))
    assert [row.perhaps for row in (await spool.get(queue_id)).recipients] == [True, False, False]


async def test_a_lost_lease_may_have_delivered(spool: Spool, ticks: Ticks) -> None:
    queue_id = await spool.accept(mail(queued=1))
    await spool.claim(T0, 10, LEASE)
    ticks.pass_by(LEASE)
    assert await spool.recover(T0 + LEASE) == 1
    assert await spool.cancel(queue_id, None, *BY_ADMIN, T0 + LEASE) == Change((0,), (), perhaps=(0,))


@pytest.mark.parametrize(
    "result", [replace(delivered(0), state=State.HELD), replace(deferred(0, T0), retry_at=None)]
)
async def test_a_result_that_no_attempt_has_is_refused(spool: Spool, result: object) -> None:
    await spool.accept(mail(queued=1))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    with pytest.raises(ValueError, match="recipient 0"):
        await spool.record(claimed, [result], T0)  # type: ignore[list-item]


async def test_a_bounce_queues_one_dsn_for_all_of_a_message(spool: Spool) -> None:
    await spool.accept(mail(queued=3))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [bounced(0), delivered(1), bounced(2)], T0)
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.to, notice.recipients) == (NoticeKind.FAILED, str(SENDER), (0, 2))


async def test_a_success_to_tell_is_queued_with_the_record_of_it(spool: Spool) -> None:
    await spool.accept(mail(queued=3))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    told = [replace(delivered(number), tell_relayed=True) for number in (0, 2)]
    await spool.record(claimed, [*told, delivered(1)], T0)
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.to, notice.recipients) == (NoticeKind.RELAYED, str(SENDER), (0, 2))


async def test_a_success_that_comes_after_its_lease_is_not_told(spool: Spool, ticks: Ticks) -> None:
    await spool.accept(mail(queued=1))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    ticks.pass_by(LEASE)
    await spool.record(claimed, [replace(delivered(0), tell_relayed=True)], T0)
    assert await kinds(spool) == []


@pytest.mark.parametrize("silent", [{"sender": None}, {"from_gateway": True}])
async def test_nobody_is_told_about_mail_without_sender_or_of_our_own(
    spool: Spool, silent: dict[str, None]
) -> None:
    new = mail(held=1, queued=2, notify_sender=True, **silent)  # type: ignore[arg-type]
    queue_id = await spool.accept(new)
    await spool.cancel(queue_id, [0], *BY_ADMIN, T0)
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [bounced(1), deferred(2, T0)], T0)
    assert await spool.ageing.delay_notices(T0 + DAY, MINUTE, 10) == 0
    assert await spool.ageing.expire(T0 + DAY, MINUTE, 10) == 1
    assert await kinds(spool) == []


async def test_notices_of_an_acceptance(spool: Spool) -> None:
    await spool.accept(
        mail(held=2, queued=1, notify_sender=True, notify=frozenset({"b@example.jp", "a@example.jp"}))
    )
    told = [(n.kind, n.to, n.recipients) for n in await spool.notices.pending(10)]
    everybody = (0, 1, 2)
    assert told == [
        (NoticeKind.HOLD, str(SENDER), (0, 1)),
        (NoticeKind.COPY, "a@example.jp", everybody),
        (NoticeKind.COPY, "b@example.jp", everybody),
    ]


async def test_no_hold_notice_where_nothing_is_held(spool: Spool) -> None:
    await spool.accept(mail(queued=1, notify_sender=True))
    assert await kinds(spool) == []


async def test_the_sender_is_told_of_a_cancel_by_somebody_else_only(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=2))
    await spool.cancel(queue_id, [0], *BY_SENDER, T0)
    assert await kinds(spool) == []
    await spool.cancel(queue_id, None, *BY_ADMIN, T0)
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.recipients) == (NoticeKind.CANCELLED, (1,))


async def test_a_notice_is_finished_once(spool: Spool) -> None:
    await spool.accept(mail(held=1, notify_sender=True))
    (notice,) = await spool.notices.pending(10)
    queue_id = await spool.notices.finish([notice], mail(queued=1, sender=None, from_gateway=True))
    assert queue_id is not None
    assert (await spool.get(queue_id)).from_gateway
    assert await spool.notices.finish([notice], mail(queued=1, sender=None, from_gateway=True)) is None
    assert await spool.notices.pending(10) == []


async def test_one_mail_finishes_several_notices_and_each_mail_s_events_say_so(spool: Spool) -> None:
    told = [await spool.accept(mail(held=1, notify_sender=True)) for _ in range(3)]
    notices = await spool.notices.pending(10)
    assert [notice.queue_id for notice in notices] == told
    own = await spool.notices.finish(notices, mail(queued=1, sender=None, from_gateway=True))
    assert await spool.notices.pending(10) == []
    assert own is not None
    assert (await spool.figures()).pending_notices == 0


async def test_several_notices_are_finished_all_or_none(spool: Spool) -> None:
    for _ in range(3):
        await spool.accept(mail(held=1, notify_sender=True))
    first, second, third = await spool.notices.pending(10)
    await spool.notices.finish([second], None)
    queued = (await spool.figures()).by_state[State.QUEUED]
    assert await spool.notices.finish([first, second, third], mail(queued=1, from_gateway=True)) is None
    assert await spool.notices.finish([second, third], None) is None
    assert await spool.notices.pending(10) == [first, third]
    assert (await spool.figures()).by_state[State.QUEUED] == queued


async def test_a_row_whose_number_came_again_is_another_notice(spool: Spool) -> None:
    await spool.accept(mail(held=1, notify_sender=True))
    (notice,) = await spool.notices.pending(10)
    for other in (replace(notice, queue_id="GONE"), replace(notice, kind=NoticeKind.CANCELLED)):
        assert await spool.notices.finish([other], mail(queued=1, from_gateway=True)) is None
    assert await spool.notices.pending(10) == [notice]


async def test_notices_are_read_from_where_the_last_look_ended(spool: Spool) -> None:
    for _ in range(4):
        await spool.accept(mail(held=1, notify_sender=True))
    first, second, third, _ = await spool.notices.pending(10)
    assert await spool.notices.pending(1, first.notice_id) == [second]
    assert (await spool.notices.pending(10, second.notice_id))[0] == third
    await spool.notices.finish([first], None)
    await spool.accept(mail(held=1, notify_sender=True))
    assert len(await spool.notices.pending(10, third.notice_id)) == 2


async def test_a_hold_notice_tells_when_the_first_hold_ends(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=2, queued=1, notify_sender=True))
    (notice,) = await spool.notices.pending(10)
    (first, *_), ends = (await spool.get(queue_id)).recipients, notice.hold_ends
    assert ends == first.due_at
    await spool.cancel(queue_id, None, *BY_SENDER, T0)
    assert [notice.hold_ends for notice in await spool.notices.pending(10)] == [None]


async def test_a_notice_can_be_dropped(spool: Spool) -> None:
    await spool.accept(mail(held=1, notify_sender=True))
    (notice,) = await spool.notices.pending(10)
    assert await spool.notices.finish([notice], None) is None
    assert await spool.notices.pending(10) == []


async def test_expiry_counts_from_the_end_of_the_hold(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=1, window=7 * DAY))
    await spool.release_due(T0 + 7 * DAY, 10)
    (claimed,) = await spool.claim(T0 + 7 * DAY, 10, LEASE)
    await spool.record(claimed, [deferred(0, T0 + 8 * DAY)], T0 + 7 * DAY)
    assert await spool.ageing.expire(T0 + 11 * DAY, 5 * DAY, 10) == 0
    assert await spool.ageing.expire(T0 + 12 * DAY, 5 * DAY, 10) == 1
    assert await states(spool, queue_id) == ["bounced"]
    assert await kinds(spool) == [NoticeKind.FAILED]


async def test_a_delay_is_told_once_per_message(spool: Spool) -> None:
    await spool.accept(mail(queued=2))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [deferred(0, T0), deferred(1, T0)], T0)
    assert await spool.ageing.delay_notices(T0 + MINUTE, 4 * MINUTE, 10) == 0
    assert await spool.ageing.delay_notices(T0 + 4 * MINUTE, 4 * MINUTE, 10) == 1
    assert await spool.ageing.delay_notices(T0 + 5 * MINUTE, 4 * MINUTE, 10) == 0
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.recipients) == (NoticeKind.DELAYED, (0, 1))


@pytest.mark.parametrize("raw", [RAW, os.urandom(INLINE_LIMIT + 1)])
async def test_purge_destroys_the_body_first_and_the_record_later(spool: Spool, raw: bytes) -> None:
    queue_id = await spool.accept(mail(held=1, raw=raw))
    kept = await spool.accept(mail(held=1))
    assert await spool.ageing.purge(T0 + 9 * DAY, DAY, 2 * DAY, 10) == 0
    await spool.cancel(queue_id, None, *BY_SENDER, T0)
    assert await spool.ageing.purge(T0 + DAY - MINUTE, DAY, 2 * DAY, 10) == 0
    assert await spool.ageing.purge(T0 + DAY, DAY, 2 * DAY, 10) == 1
    with pytest.raises(BodyUnreadable, match="deleted"):
        await spool.raw(queue_id)
    assert await states(spool, queue_id) == ["cancelled"]
    assert await spool.ageing.purge(T0 + 2 * DAY, DAY, 2 * DAY, 10) == 1
    with pytest.raises(UnknownMessage):
        await spool.get(queue_id)
    assert (await spool.figures()).by_state[State.CANCELLED] == 0
    assert await states(spool, kept) == ["held"]


async def test_purge_waits_for_a_notice_that_may_need_the_original(spool: Spool) -> None:
    await spool.accept(mail(queued=1))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [bounced(0)], T0)
    assert await spool.ageing.purge(T0 + 9 * DAY, DAY, DAY, 10) == 0
    (notice,) = await spool.notices.pending(10)
    await spool.notices.finish([notice], None)
    assert await spool.ageing.purge(T0 + 9 * DAY, DAY, DAY, 10) == 1


async def test_figures_follow_every_move(spool: Spool) -> None:
    await spool.accept(mail(held=2, queued=3, notify_sender=True))
    (claimed,) = await spool.claim(T0, 2, LEASE)
    await spool.record(claimed, [delivered(claimed.message.recipients[0].index)], T0)
    figures = await spool.figures()
    counted = {state.value: count for state, count in figures.by_state.items() if count}
    assert counted == {"held": 2, "queued": 1, "active": 1, "delivered": 1}
    assert (figures.oldest_due, figures.pending_notices) == (T0, 1)


async def test_a_hold_that_has_not_ended_is_not_overdue(spool: Spool) -> None:
    await spool.accept(mail(held=1))
    assert (await spool.figures()).oldest_due is None


async def test_held_lists_newest_first_in_pages(spool: Spool) -> None:
    ids = [await spool.accept(mail(held=1, at=T0 + n * MINUTE)) for n in range(5)]
    await spool.accept(mail(queued=1, at=T0 + 6 * MINUTE))
    await spool.cancel(ids[3], None, *BY_SENDER, T0)
    page = [m.queue_id for m in await spool.held(2)]
    assert page == [ids[4], ids[2]]
    assert [m.queue_id for m in await spool.held(9, page[-1])] == [ids[1], ids[0]]


async def test_forty_thousand_recipients_are_one_mail(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=40_000))
    assert len((await spool.get(queue_id)).recipients) == 40_000
    assert len((await spool.release(queue_id, range(20_000), *BY_ADMIN, T0)).done) == 20_000
    (claim,) = await spool.claim(T0, 5_000, LEASE)
    results = [delivered(recipient.index) for recipient in claim.message.recipients]
    assert len((await spool.record(claim, results, T0)).done) == 5_000
    assert len((await spool.cancel(queue_id, None, *BY_SENDER, T0)).done) == 35_000


async def test_odd_text_cannot_make_a_commit_fail(spool: Spool) -> None:
    odd = "a\ud800\x00\x1b[2J\u202e"
    queue_id = await spool.accept(mail(queued=1, subject=odd))
    (claimed,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claimed, [replace(delivered(0), reply=odd)], T0)
    assert (await spool.get(queue_id)).subject == odd.replace("\ud800", "?").replace("\0", "\ufffd")


async def test_the_system_may_cancel_too(spool: Spool) -> None:
    queue_id = await spool.accept(mail(held=1))
    assert (await spool.cancel(queue_id, None, SYSTEM, Reason.POLICY, T0)).done == (0,)


async def test_a_mail_to_thousands_is_stored_whole(spool: Spool) -> None:
    count = 2_500  # more than the event loop computes the rows of
    queue_id = await spool.accept(mail(held=count))
    assert len((await spool.get(queue_id)).recipients) == count
    assert len((await spool.cancel(queue_id, None, *BY_ADMIN, T0)).done) == count


@pytest.mark.parametrize("mails", [5, 16, 17, 81])
async def test_mails_of_one_group_are_all_stored(spool: Spool, mails: int) -> None:
    accepted = await asyncio.gather(
        *(spool.accept(mail(held=1, subject=f"mail {number}")) for number in range(mails))
    )
    found = [await spool.get(queue_id) for queue_id in accepted]
    assert [stored.subject for stored in found] == [f"mail {number}" for number in range(mails)]
    assert (await spool.figures()).by_state[State.HELD] == mails
