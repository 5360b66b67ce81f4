"""Reminders, proxies whose days begin, and approvers who are away: on both stores, told once, and nothing waits for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.policy.demands import Approval, Approver, Step
from gateway.spool.absences import MAX_ABSENCES, TooManyAbsences
from gateway.spool.attendance import Absence
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.second_look import Said
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor, NewMessage
from gateway.store.where import Where
from tests.spool.asking import CHIEF, DEPUTY, HOUR, MAYOR, approval, asking, confirmation
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, SENDER, T0
from tests.spool.test_second_look import events

SELF = Actor("approver", CHIEF)
ASKED, REMINDED = NoticeKind.APPROVAL, NoticeKind.REMINDER


def reminding(asked: Approval, *spans: timedelta) -> Approval:
    return replace(asked, remind=spans)


async def told(spool: SqlSpool) -> list[tuple[NoticeKind, str]]:
    return [(each.kind, each.to) for each in await spool.notices.pending(100)]


async def wind(spool: SqlSpool, until: timedelta, step: timedelta = 10 * MINUTE) -> None:
    """Let the service look every ten minutes until then."""
    at = timedelta(0)
    while at <= until:
        await spool.consents.pass_deadlines(T0 + at, 10)
        at += step


async def away(spool: SqlSpool, person: str, since: timedelta, until: timedelta) -> None:
    await spool.absences.say(Absence(person, T0 + since, T0 + until), Actor("approver", person), T0)


async def test_a_reminder_goes_once_to_who_may_decide_and_has_not(spool: SqlSpool, where: Where) -> None:
    wanted = reminding(approval(CHIEF, DEPUTY, at_least=2), 30 * MINUTE)
    queue_id = await spool.accept(asking(wanted))
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0 + MINUTE)
    await wind(spool, 3 * HOUR)
    assert [each for each in await told(spool) if each[0] is REMINDED] == [(REMINDED, DEPUTY)]
    assert events(where, queue_id).count((Kind.REMINDED, Reason.NOBODY_YET, "0-1")) == 1


async def test_every_step_has_its_reminders(spool: SqlSpool) -> None:
    wanted = reminding(approval(CHIEF, later=(HOUR, DEPUTY)), 30 * MINUTE, 90 * MINUTE)
    await spool.accept(asking(wanted))
    await wind(spool, 4 * HOUR - MINUTE)
    assert [each for each in await told(spool) if each[0] is not NoticeKind.TIMED_OUT] == [
        (ASKED, CHIEF),
        (REMINDED, CHIEF),
        (ASKED, DEPUTY),
        (REMINDED, CHIEF),
        (REMINDED, DEPUTY),
    ]


async def test_who_is_asked_in_that_minute_is_not_reminded_of_it(spool: SqlSpool) -> None:
    await spool.accept(asking(reminding(approval(CHIEF, later=(HOUR, DEPUTY)), HOUR)))
    await spool.consents.pass_deadlines(T0 + HOUR, 10)
    assert await told(spool) == [(ASKED, CHIEF), (REMINDED, CHIEF), (ASKED, DEPUTY)]


async def test_reminders_that_were_slept_through_are_one(spool: SqlSpool) -> None:
    await spool.accept(asking(reminding(approval(CHIEF), 30 * MINUTE, HOUR, 2 * HOUR)))
    await spool.consents.pass_deadlines(T0 + 3 * HOUR, 10)
    await spool.consents.pass_deadlines(T0 + 3 * HOUR, 10)
    assert await told(spool) == [(ASKED, CHIEF), (REMINDED, CHIEF)]


async def test_the_sender_is_reminded_to_tick(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(replace(confirmation(), remind=(HOUR,))))
    await wind(spool, 2 * HOUR)
    assert await told(spool) == [(REMINDED, str(SENDER))]
    (notice,) = await spool.notices.pending(10)
    assert notice.recipients == (0, 1)
    await spool.consents.confirm(queue_id, [0, 1], False, Actor("sender", str(SENDER)), T0 + 3 * HOUR)
    assert await spool.consents.pass_deadlines(T0 + 5 * HOUR, 10) == 0


async def test_what_is_decided_or_stopped_is_not_reminded_of(spool: SqlSpool) -> None:
    wanted = reminding(approval(CHIEF), HOUR)
    approved, stopped = await spool.accept(asking(wanted)), await spool.accept(asking(wanted))
    await spool.consents.approve(approved, None, CHIEF, SELF, "", T0 + MINUTE)
    await spool.cancel(stopped, None, Actor("sender", str(SENDER)), Reason.BY_SENDER, T0 + MINUTE)
    await wind(spool, 2 * HOUR)
    assert REMINDED not in {kind for kind, _ in await told(spool)}


async def test_two_gateways_send_one(spool: SqlSpool, where: Where) -> None:
    await spool.accept(asking(reminding(approval(CHIEF), HOUR)))
    if not where.url:
        await asyncio.gather(*[spool.consents.pass_deadlines(T0 + HOUR, 10) for _ in range(3)])
    else:
        other = open_spool(replace(where, node="gw2", state=where.state / "2"), MASTER, clock=lambda: T0)
        await asyncio.gather(*[each.consents.pass_deadlines(T0 + HOUR, 10) for each in (spool, other) * 2])
        await other.close()
    assert (await told(spool)).count((REMINDED, CHIEF)) == 1


async def test_a_proxy_is_asked_when_their_days_begin(spool: SqlSpool, where: Where) -> None:
    proxy = Approver(DEPUTY, T0 + HOUR, T0 + 3 * HOUR)
    queue_id = await spool.accept(asking(approval(CHIEF, proxy=proxy)))
    await wind(spool, 2 * HOUR)
    assert await told(spool) == [(ASKED, CHIEF), (ASKED, DEPUTY)]
    assert (Kind.ESCALATED, Reason.PROXY_BEGINS, "0-1") in events(where, queue_id)
    said = await spool.consents.approve(queue_id, None, DEPUTY, Actor("approver", DEPUTY), "", T0 + 2 * HOUR)
    assert said.said is Said.COUNTED


async def test_where_all_are_away_the_next_step_is_asked_at_once(spool: SqlSpool, where: Where) -> None:
    await away(spool, CHIEF, -HOUR, 48 * HOUR)
    queue_id = await spool.accept(asking(approval(CHIEF, later=(2 * HOUR, DEPUTY))))
    assert await spool.consents.pass_deadlines(T0, 10) == 1
    assert (ASKED, DEPUTY) in await told(spool)
    assert (Kind.ESCALATED, Reason.ALL_AWAY, "0-1") in events(where, queue_id)
    assert (
        await spool.consents.approve(queue_id, None, CHIEF, SELF, "", T0)
    ).said is Said.COUNTED  # away, and may still


async def test_one_who_goes_away_later_does_not_block_either(spool: SqlSpool) -> None:
    await spool.accept(asking(approval(CHIEF, later=(3 * HOUR, DEPUTY))))
    await spool.consents.pass_deadlines(T0, 10)
    await away(spool, CHIEF, HOUR, 48 * HOUR)
    await spool.consents.pass_deadlines(T0 + HOUR - MINUTE, 10)
    assert (ASKED, DEPUTY) not in await told(spool)
    await spool.consents.pass_deadlines(T0 + HOUR, 10)
    assert (ASKED, DEPUTY) in await told(spool)


async def test_two_of_three_are_needed_and_one_is_there(spool: SqlSpool) -> None:
    await away(spool, CHIEF, -HOUR, 48 * HOUR)
    await spool.accept(asking(approval(CHIEF, DEPUTY, at_least=2, later=(2 * HOUR, MAYOR))))
    await spool.consents.pass_deadlines(T0, 10)
    assert (ASKED, MAYOR) in await told(spool)


async def test_a_ladder_of_people_who_are_all_away_is_climbed_to_its_end(spool: SqlSpool) -> None:
    for person in (CHIEF, DEPUTY):
        await away(spool, person, -HOUR, 48 * HOUR)
    wanted = approval(CHIEF, later=(HOUR, DEPUTY))
    steps = (*wanted.steps, Step(2 * HOUR, (Approver(MAYOR),)))
    queue_id = await spool.accept(asking(replace(wanted, steps=steps)))
    await wind(spool, HOUR)
    assert (await spool.get(queue_id)).looks[0].step == 2
    assert [to for kind, to in await told(spool) if kind is ASKED] == [CHIEF, DEPUTY, MAYOR]
    await wind(spool, 5 * HOUR)
    assert {row.state for row in (await spool.get(queue_id)).recipients} == {State.CANCELLED}


async def test_absences_are_kept_told_and_taken_back(spool: SqlSpool, where: Where) -> None:
    await away(spool, CHIEF, HOUR, 2 * HOUR)
    await away(spool, CHIEF, HOUR, 3 * HOUR)  # said again: it replaces
    (found,) = await spool.absences.of([CHIEF, DEPUTY], T0)
    assert (found.since, found.until) == (T0 + HOUR, T0 + 3 * HOUR)
    assert await spool.absences.of([CHIEF], T0 + 3 * HOUR) == ()
    assert await spool.absences.take_back(CHIEF, T0 + HOUR, SELF, T0)
    assert not await spool.absences.take_back(CHIEF, T0 + HOUR, SELF, T0)
    assert [kind for kind, _, _ in events(where, None)].count(Kind.ABSENCE) == 3


@pytest.mark.parametrize(
    ("since", "until", "wrong"),
    [
        (HOUR, HOUR, "order"),
        (-2 * HOUR, -HOUR, "past"),
        (HOUR, timedelta(days=400), "long"),
        (timedelta(days=700), timedelta(days=740), "far"),
    ],
)
async def test_what_is_no_absence(spool: SqlSpool, since: timedelta, until: timedelta, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        await away(spool, CHIEF, since, until)


async def test_what_is_over_goes_with_the_next_one_that_anybody_says(spool: SqlSpool) -> None:
    await away(spool, CHIEF, HOUR, 2 * HOUR)
    later = Absence(DEPUTY, T0 + 3 * HOUR, T0 + 4 * HOUR)
    await spool.absences.say(later, Actor("approver", DEPUTY), T0 + 3 * HOUR)
    assert await spool.absences.of([CHIEF, DEPUTY], T0) == (later,)


async def test_nobody_is_away_without_bound(spool: SqlSpool) -> None:
    for day in range(MAX_ABSENCES):
        await away(spool, CHIEF, timedelta(days=day), timedelta(days=day, hours=1))
    with pytest.raises(TooManyAbsences):
        await away(spool, CHIEF, timedelta(days=90), timedelta(days=91))


async def test_a_mail_that_asks_nobody_is_never_looked_at(spool: SqlSpool) -> None:
    plain: NewMessage = asking(approval(CHIEF))
    await spool.accept(plain)
    assert await spool.consents.pass_deadlines(T0 + HOUR, 10) == 0
