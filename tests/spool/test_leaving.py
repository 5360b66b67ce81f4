"""Dropped recipients, copies and reports in the store: what is written with the mail, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.message.address import Address
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands
from gateway.spool.contract import Spool
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.values import Actor, NewMessage, Result
from tests.spool.mails import LEASE, RAW, SENDER, T0, WINDOW, bounced, deferred, delivered, mail

BY_SENDER = (Actor("sender", str(SENDER)), Reason.BY_SENDER)
GONE = Outcome(True, Demands(window=WINDOW, drop=True), rules=("not-there",))


def dropping(new: NewMessage, *gone: int, **more: Any) -> NewMessage:
    """Return the mail with some of its recipients dropped."""
    decision = new.decision
    assigned = tuple(
        len(decision.outcomes) if index in gone else number for index, number in enumerate(decision.assigned)
    )
    outcomes = (*decision.outcomes, GONE)
    return replace(new, decision=replace(decision, outcomes=outcomes, assigned=assigned, **more))


def copied(new: NewMessage, **more: Any) -> NewMessage:
    """Return the mail with one more recipient, a copy, that waits as the first one does."""
    envelope, decision = new.envelope, new.decision
    people = (*envelope.recipients, Address("boss", "sports.example.jp"))
    decision = replace(decision, assigned=(*decision.assigned, decision.assigned[0]), copied=1, **more)
    return replace(new, envelope=replace(envelope, recipients=people), decision=decision)


async def told(spool: Spool) -> list[tuple[NoticeKind, str, tuple[int, ...]]]:
    return [(each.kind, each.to, each.recipients) for each in await spool.notices.pending(100)]


async def states(spool: Spool, queue_id: str) -> list[State]:
    return [row.state for row in (await spool.get(queue_id)).recipients]


async def settle(spool: Spool, results: Sequence[Result]) -> None:
    (claim,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claim, results, T0)


async def test_a_dropped_recipient_is_cancelled_with_the_acceptance(spool: Spool) -> None:
    queue_id = await spool.accept(dropping(mail(held=1, queued=2), 0, 1, tells_dropped=True))
    assert await states(spool, queue_id) == [State.CANCELLED, State.CANCELLED, State.QUEUED]
    assert await told(spool) == [(NoticeKind.DROPPED, str(SENDER), (0, 1))]
    (claim,) = await spool.claim(T0 + WINDOW, 10, LEASE)
    assert [row.index for row in claim.message.recipients] == [2]
    figures = await spool.figures()
    assert figures.by_state[State.CANCELLED] == 2
    assert sum(figures.by_state.values()) == 3


async def test_only_what_is_not_dropped_is_leased_with_the_acceptance(spool: Spool) -> None:
    _, claim = await spool.accept_and_claim(dropping(mail(queued=3), 1), LEASE)
    assert claim is not None
    assert [row.index for row in claim.message.recipients] == [0, 2]


async def test_a_mail_that_nobody_gets_is_accepted_finished_and_told_of(spool: Spool) -> None:
    new = dropping(mail(held=2), 0, 1, tells_dropped=True, report_to=frozenset({"audit@city.example.lg.jp"}))
    queue_id, claim = await spool.accept_and_claim(new, LEASE)
    assert claim is None
    assert await states(spool, queue_id) == [State.CANCELLED, State.CANCELLED]
    assert [kind for kind, _, _ in await told(spool)] == [NoticeKind.DROPPED, NoticeKind.REPORT]
    assert await spool.raw(queue_id) == RAW
    assert await spool.claim(T0 + WINDOW, 10, LEASE) == []
    for notice in await spool.notices.pending(10):
        await spool.notices.finish([notice], None)
    assert await spool.ageing.purge(T0 + WINDOW, WINDOW / 2, WINDOW / 2, 10) == 1


async def test_who_may_not_be_told_is_not(spool: Spool) -> None:
    await spool.accept(dropping(mail(held=2), 0))
    await spool.accept(dropping(mail(held=2, sender=None), 0, tells_dropped=True))
    assert await told(spool) == []


async def test_a_report_is_read_when_the_fate_of_all_is_known(spool: Spool) -> None:
    people = frozenset({"b@city.example.lg.jp", "a@city.example.lg.jp"})
    new = mail(queued=2)
    queue_id = await spool.accept(replace(new, decision=replace(new.decision, report_to=people)))
    assert await told(spool) == []
    assert (await spool.figures()).pending_notices == 0
    await settle(spool, [delivered(0), deferred(1, T0 + WINDOW)])
    assert await told(spool) == []
    await spool.cancel(queue_id, None, *BY_SENDER, T0)
    assert [(kind, to) for kind, to, _ in await told(spool)] == [
        (NoticeKind.REPORT, "a@city.example.lg.jp"),
        (NoticeKind.REPORT, "b@city.example.lg.jp"),
    ]
    assert (await spool.figures()).pending_notices == 2


@pytest.mark.parametrize(("held", "tell", "is_told"), [(1, True, True), (0, True, False), (1, False, False)])
async def test_that_it_left_is_told_where_it_was_held_and_asked_for(
    spool: Spool, held: int, tell: bool, is_told: bool
) -> None:
    new = mail(held=held, queued=1)
    queue_id = await spool.accept(replace(new, decision=replace(new.decision, tell_left=tell)))
    await settle(spool, [delivered(held)])
    if held:
        assert await told(spool) == []
        await spool.cancel(queue_id, None, *BY_SENDER, T0)
    assert await told(spool) == ([(NoticeKind.LEFT, str(SENDER), (0, 1))] if is_told else [])


async def test_an_incident_is_known_from_its_row(spool: Spool) -> None:
    assert await spool.notices.incident_of("Q1") is None


async def test_a_report_is_told_once(spool: Spool) -> None:
    new = mail(queued=1)
    decision = replace(new.decision, report_to=frozenset({"a@city.example.lg.jp"}))
    await spool.accept(replace(new, decision=decision))
    await settle(spool, [delivered(0)])
    (notice,) = await spool.notices.pending(10)
    assert notice.kind is NoticeKind.REPORT
    assert await spool.notices.finish([notice], mail(queued=1, from_gateway=True)) is not None
    assert await spool.notices.finish([notice], mail(queued=1, from_gateway=True)) is None
    assert await told(spool) == []


async def test_a_copy_is_stored_and_nobody_is_told_of_it(spool: Spool) -> None:
    new = copied(mail(held=2, notify_sender=True, notify=frozenset({"audit@city.example.lg.jp"})))
    queue_id = await spool.accept(new)
    assert await told(spool) == [
        (NoticeKind.HOLD, str(SENDER), (0, 1)),
        (NoticeKind.COPY, "audit@city.example.lg.jp", (0, 1)),
    ]
    stored = await spool.get(queue_id)
    assert [row.index for row in stored.recipients] == [0, 1, 2]
    assert [row.index for row in stored.as_handed_in.recipients] == [0, 1]
    (glance,) = await spool.notices.glances([queue_id])
    assert glance is not None
    assert (glance.total, glance.held) == (2, 2)


async def test_a_copy_goes_with_the_last_of_the_others(spool: Spool) -> None:
    queue_id = await spool.accept(copied(mail(held=2)))
    first = await spool.cancel(queue_id, [0], *BY_SENDER, T0)
    assert first.done == (0,)
    assert await states(spool, queue_id) == [State.CANCELLED, State.HELD, State.HELD]
    second = await spool.cancel(queue_id, [1], *BY_SENDER, T0)
    assert second.done == (1, 2)
    assert second.without_copies((await spool.get(queue_id)).decision).done == (1,)
    assert await states(spool, queue_id) == [State.CANCELLED] * 3


async def test_a_sender_cannot_stop_the_copy_by_itself(spool: Spool) -> None:
    queue_id = await spool.accept(copied(mail(held=1)))
    assert (await spool.cancel(queue_id, [1], *BY_SENDER, T0)).done == ()
    assert (await spool.release(queue_id, [1], *BY_SENDER, T0)).done == ()
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    by_admin = (Actor("admin", "root"), Reason.BY_ADMIN)
    assert (await spool.cancel(queue_id, [1], *by_admin, T0)).done == (1,)


async def test_a_mail_that_is_released_whole_takes_its_copy_along(spool: Spool) -> None:
    queue_id = await spool.accept(copied(mail(held=2)))
    await spool.release(queue_id, None, *BY_SENDER, T0)
    assert await states(spool, queue_id) == [State.QUEUED] * 3


@pytest.mark.parametrize("which", [[0], None])
async def test_a_copy_of_what_left_is_not_cancelled(spool: Spool, which: list[int] | None) -> None:
    queue_id = await spool.accept(copied(mail(held=1, queued=1)))
    await settle(spool, [delivered(1)])
    await spool.cancel(queue_id, which, *BY_SENDER, T0)
    assert await states(spool, queue_id) == [State.CANCELLED, State.DELIVERED, State.HELD]


async def test_a_copy_that_bounces_finishes_the_mail_as_any_other(spool: Spool) -> None:
    new = copied(mail(queued=1), report_to=frozenset({"a@city.example.lg.jp"}))
    await spool.accept(new)
    await settle(spool, [delivered(0), deferred(1, T0)])
    assert await told(spool) == []
    await settle(spool, [bounced(1)])
    assert NoticeKind.REPORT in [kind for kind, _, _ in await told(spool)]
