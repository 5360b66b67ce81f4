"""Days are counted from the log, on both stores, for whom they concern; a day that is over is counted once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.audit.daily import DailyFigures, Day, Measure, bounds, says_scope
from gateway.audit.rule_figures import RulesOfLate, first_day
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.list_contract import Scope
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.events import Event
from gateway.store.schema import events
from gateway.store.where import Where
from tests.spool.conftest import MASTER, where  # noqa: F401 - a fixture: both stores

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo
TODAY = date(2026, 11, 20)
ALL = Scope(everything=True)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def spool(where: Where) -> AsyncIterator[SqlSpool]:  # noqa: F811 - that fixture
    opened = open_spool(where, MASTER, serve=True, clock=lambda: NOON)
    yield opened
    await opened.close()


async def write(spool: SqlSpool, *told: Event) -> None:
    def job(tx: Any) -> None:
        for event in told:
            tx.event(event)

    await spool.database.committer.run(job)


def event(at: datetime, kind: Kind, reason: Reason, queue_id: str | None = None, **detail: object) -> Event:
    return Event(
        int(at.timestamp() * 1_000_000), queue_id, kind, reason, "sender", "x", "0-1", detail or None
    )


def accepted(at: datetime, queue_id: str, *groups: str, held: bool = True, subject: str = "x") -> Event:
    outcomes = [{"rules": ["cancel-window"], "window_s": 600, "external": True}]
    return event(
        at,
        Kind.ACCEPTED,
        Reason.POLICY if held else Reason.NO_HOLD,
        queue_id,
        groups=list(groups),
        subject=subject,
        held="0-1" if held else "",
        outcomes=outcomes,
    )


HOSTILE = 'x","groups":["library"],"y":"'


async def a_short_history(spool: SqlSpool) -> None:
    await write(
        spool,
        accepted(NOON - 2 * DAY, "A", "sports"),
        event(NOON - 2 * DAY + HOUR / 2, Kind.CANCELLED, Reason.BY_SENDER, "A"),
        event(NOON - 2 * DAY + HOUR, Kind.CANCELLED, Reason.BY_SENDER, "A"),
        accepted(NOON - DAY, "B", "library", "sports"),
        accepted(NOON - DAY, "C", held=False, subject=HOSTILE),
        event(NOON - DAY, Kind.ACCEPTED, Reason.SYSTEM, "N", from_gateway=True),
        event(NOON - DAY, Kind.REFUSED, Reason.POLICY, groups=["sports"], rules=["my-number"]),
        event(NOON - HOUR, Kind.APPROVED, Reason.BY_APPROVER, "B", person="boss"),
        event(NOON - HOUR, Kind.CANCELLED, Reason.REJECTED, "B"),
        event(NOON - HOUR, Kind.CANCELLED, Reason.TIMED_OUT, "C"),
        event(NOON - HOUR, Kind.INCIDENT_OPENED, Reason.BY_SENDER, "A"),
    )


def figures(spool: SqlSpool, clock: Callable[[], datetime] = lambda: NOON) -> DailyFigures:
    return DailyFigures(spool.database.readers, TOKYO, clock)


async def test_days_are_counted(spool: SqlSpool) -> None:
    await a_short_history(spool)
    before, yesterday, today = await figures(spool).days(ALL, TODAY - 2 * DAY, TODAY)
    assert before.counts == {Measure.HELD: 1, Measure.SAVED: 1}, "a mail cancelled in two steps is one"
    assert yesterday.counts == {Measure.HELD: 1, Measure.FREE: 1, Measure.REFUSED: 1}
    assert yesterday.mails == 3, "without the gateway's own"
    assert today.counts == {
        Measure.APPROVED: 1,
        Measure.REJECTED: 1,
        Measure.LAPSED: 1,
        Measure.INCIDENTS: 1,
    }
    assert today.waits == (0, 0, 0, 1, 0), "23 hours after the mail"
    assert [day.day for day in (before, yesterday, today)] == [TODAY - 2 * DAY, TODAY - DAY, TODAY]


@pytest.mark.parametrize(
    ("groups", "held", "others"),
    [
        (
            {"sports"},
            (1, 1, 0),
            {Measure.REFUSED: 1, Measure.SAVED: 1, Measure.REJECTED: 1, Measure.INCIDENTS: 1},
        ),
        ({"library"}, (0, 1, 0), {Measure.REJECTED: 1}),
        ({"sport"}, (0, 0, 0), {}),
        ({"spor%"}, (0, 0, 0), {}),
        ({'sports"'}, (0, 0, 0), {}),
        (set(), (0, 0, 0), {}),
    ],
)
async def test_who_has_groups_sees_their_mails_alone(
    spool: SqlSpool, groups: set[str], held: tuple[int, ...], others: dict[Measure, int]
) -> None:
    await a_short_history(spool)
    days = await figures(spool).days(Scope(groups=frozenset(groups)), TODAY - 2 * DAY, TODAY)
    assert tuple(day.of(Measure.HELD) for day in days) == held
    assert sum(day.of(Measure.FREE) for day in days) == 0, "no subject makes a mail somebody else's"
    for measure in (Measure.REFUSED, Measure.SAVED, Measure.REJECTED, Measure.LAPSED, Measure.INCIDENTS):
        assert sum(day.of(measure) for day in days) == others.get(measure, 0), measure


async def test_a_day_that_is_over_is_counted_once(spool: SqlSpool) -> None:
    await a_short_history(spool)
    now = [NOON]
    counter = figures(spool, lambda: now[0])
    first = await counter.days(ALL, TODAY - DAY, TODAY)
    await write(spool, accepted(NOON - DAY, "D"), accepted(NOON, "E"))
    assert await counter.days(ALL, TODAY - DAY, TODAY) == first, "good for a minute"
    now[0] += timedelta(seconds=61)
    yesterday, today = await counter.days(ALL, TODAY - DAY, TODAY)
    assert yesterday == first[0]
    assert today.of(Measure.HELD) == 1


async def test_rules_are_added_up_within_the_scope(spool: SqlSpool) -> None:
    await a_short_history(spool)
    days = await figures(spool).days(ALL, TODAY - 2 * DAY, TODAY)
    late = RulesOfLate(spool.database.readers, TOKYO, lambda: NOON)
    everything = await late.figures(ALL, {"cancel-window": True, "quiet": False}, days)
    window = everything.effects["cancel-window"]
    assert (window.matched, window.held, window.cancelled) == (3, 2, 2)
    assert everything.effects["quiet"].proves_nothing
    assert everything.effects["my-number"].refused == 1
    assert (everything.since, everything.complete) == (TODAY - 2 * DAY, True)
    library = await late.figures(Scope(groups=frozenset({"library"})), {"cancel-window": True}, days)
    assert library.effects["cancel-window"].matched == 1
    assert "my-number" not in library.effects


async def test_rules_are_read_in_pages(spool: SqlSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.audit.rule_figures.PAGE", 2)
    await a_short_history(spool)
    days = await figures(spool).days(ALL, TODAY - 2 * DAY, TODAY)
    late = RulesOfLate(spool.database.readers, TOKYO, lambda: NOON)
    assert (await late.figures(ALL, {}, days)).effects["cancel-window"].matched == 3
    monkeypatch.setattr("gateway.audit.rule_figures.MOST_EVENTS", 4)
    assert not (await late.figures(ALL, {"new": True}, days)).complete


def test_a_busy_house_is_asked_for_fewer_days() -> None:
    busy = [Day(TODAY - n * DAY, {Measure.HELD: 12_000}) for n in (3, 2, 1, 0)]
    assert first_day(tuple(busy)) == TODAY - DAY
    assert first_day((Day(TODAY, {Measure.HELD: 10**9}),)) == TODAY


def test_a_day_may_have_23_hours() -> None:
    begins, ends = bounds(date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(hours=23)


def test_a_scope_without_groups_matches_nothing() -> None:
    assert str(says_scope(Scope(), events.c.detail)) == "false"
