"""Nothing waits for ever: for every approval and every absence there is a moment at which it is decided."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.demands import EVER, NEVER, NO_TIME, Approval, Approver, Step
from gateway.spool.attendance import Absence, ladder, next_moment, there, too_few
from gateway.spool.lifecycle import State
from gateway.spool.second_look import Look, fresh_looks
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from tests.spool.asking import HOUR, asking
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, T0

PEOPLE = [f"p{number}@sports.example.jp" for number in range(4)]
MINUTES = st.integers(0, 300).map(lambda minutes: minutes * MINUTE)
SOONER = st.integers(-60, 300).map(lambda minutes: T0 + minutes * MINUTE)


@st.composite
def approvers(draw: st.DrawFn) -> Approver:
    since, until = sorted((draw(SOONER), draw(SOONER)))
    days = draw(st.booleans())
    return Approver(draw(st.sampled_from(PEOPLE)), since if days else EVER, until if days else NEVER)


@st.composite
def approvals(draw: st.DrawFn) -> Approval:
    afters = sorted(draw(st.lists(MINUTES, max_size=3)))
    whom = st.lists(approvers(), max_size=3).map(lambda found: tuple(sorted(found)))
    return Approval(
        rule="r",
        name="managers",
        at_least=draw(st.integers(1, 3)),
        within=draw(st.integers(1, 300)) * MINUTE,
        otherwise=draw(st.sampled_from(["cancel", "release"])),
        steps=(Step(NO_TIME, draw(whom)), *[Step(after, draw(whom)) for after in afters]),
        remind=tuple(sorted(draw(st.sets(MINUTES.filter(bool), max_size=3)))),
    )


@st.composite
def absences(draw: st.DrawFn) -> Absence:
    since = draw(SOONER)
    return Absence(draw(st.sampled_from(PEOPLE)), since, since + draw(st.integers(1, 600)) * MINUTE)


def look_of(approval: Approval) -> Look:
    (look,) = fresh_looks(asking(approval).decision, T0)
    return look


@given(approvals(), st.lists(absences(), max_size=4), SOONER.filter(lambda at: at >= T0))
def test_what_is_promised_comes_to_an_end_before_the_deadline(
    approval: Approval, away: list[Absence], now: datetime
) -> None:
    look = look_of(approval)
    rungs = ladder(look, away, T0, now)
    assert [rung.step for rung in rungs] == list(range(1, len(rungs) + 1))
    moments = [rung.at for rung in rungs]
    assert moments == sorted(moments)
    for rung in rungs:
        below = replace(look, step=rung.step - 1)
        assert rung.early == too_few(below, away, rung.at) or not rung.early
        assert rung.at >= now or not rung.early
    assert set(there(look, away, now)) <= set(PEOPLE)


@given(approvals(), st.lists(absences(), max_size=4))
def test_looking_goes_on_and_ends_at_the_deadline(approval: Approval, away: list[Absence]) -> None:
    look, at, looks = look_of(approval), T0, 0
    while at < look.deadline:
        following = next_moment(look, away, T0, at)
        assert at < following <= look.deadline
        at, looks = following, looks + 1
    assert looks <= 40


@settings(max_examples=12, deadline=None)
@given(approvals(), st.lists(absences(), max_size=4), st.integers(1, 50))
def test_a_mail_is_decided_at_its_deadline_whoever_is_away(
    approval: Approval, away: list[Absence], stride: int
) -> None:
    asyncio.run(_decided_in_time(approval, away, stride))


async def _decided_in_time(approval: Approval, away: list[Absence], stride: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder) / "state", MASTER, serve=True, clock=lambda: T0)
        try:
            await _wind(spool, approval, away, stride)
        finally:
            await spool.close()


async def _wind(spool: SqlSpool, approval: Approval, away: list[Absence], stride: int) -> None:
    for absence in away:
        if absence.until > T0:
            await spool.absences.say(absence, Actor("approver", absence.person), T0)
    queue_id = await spool.accept(asking(approval))
    at = NO_TIME
    while at < approval.within:
        await spool.consents.pass_deadlines(T0 + at, 10)
        at += stride * MINUTE
    await spool.consents.pass_deadlines(T0 + approval.within, 10)
    wanted = State.CANCELLED if approval.otherwise == "cancel" else State.QUEUED
    assert {row.state for row in (await spool.get(queue_id)).recipients} == {wanted}
    assert await spool.consents.pass_deadlines(T0 + timedelta(days=30) + HOUR, 10) == 0
