"""The clock steps backwards: nothing due is lost, nothing held leaves early."""

from __future__ import annotations

from datetime import timedelta

from gateway.spool.clock_steps import TOLERANCE
from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from tests.spool.asking import CHIEF, HOUR, approval, asking
from tests.spool.mails import LEASE, MINUTE, T0, WINDOW, deferred, mail

YEAR = timedelta(days=365)


async def _a_year_ahead(spool: SqlSpool) -> tuple[str, str]:
    held = await spool.accept(mail(held=1, at=T0 + YEAR))
    moving = await spool.accept(mail(queued=2, at=T0 + YEAR))
    (claimed,) = await spool.claim(T0 + YEAR, 1, LEASE)
    index = claimed.message.recipients[0].index
    await spool.record(claimed, [deferred(index, T0 + YEAR + 5 * MINUTE)], T0 + YEAR)
    await spool.release_due(T0 + YEAR, 10)
    return held, moving


async def _check(spool: SqlSpool, held: str) -> None:
    assert (await spool.get(held)).recipients[0].due_at == T0 + WINDOW
    assert await spool.release_due(T0 + WINDOW - MINUTE, 10) == 0
    assert await spool.release_due(T0 + WINDOW, 10) == 1
    claims = await spool.claim(T0 + WINDOW, 10, LEASE)
    assert sum(len(claim.message.recipients) for claim in claims) == 3


async def test_a_step_back_while_running(spool: SqlSpool) -> None:
    held, _ = await _a_year_ahead(spool)
    assert await spool.release_due(T0, 10) == 0
    await _check(spool, held)


async def test_a_step_back_while_nothing_else_is_due(spool: SqlSpool) -> None:
    """The scheduler asks for due holds only when there are some: the look for lost leases must notice too."""
    held, _ = await _a_year_ahead(spool)
    await spool.recover(T0 + YEAR)
    await spool.recover(T0)
    await _check(spool, held)


async def test_a_step_back_while_nobody_ran(spool: SqlSpool) -> None:
    held, _ = await _a_year_ahead(spool)
    assert await spool.recover(T0) == 0
    await _check(spool, held)


async def test_a_small_step_is_waited_out(spool: SqlSpool) -> None:
    held = await spool.accept(mail(held=1))
    await spool.release_due(T0 + MINUTE, 10)
    await spool.release_due(T0 + MINUTE - TOLERANCE, 10)
    assert (await spool.get(held)).recipients[0].due_at == T0 + WINDOW


async def test_mail_that_waits_for_people_waits_on_with_its_deadline(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, within=HOUR), at=T0 + YEAR))
    decided = await spool.accept(asking(approval(CHIEF, within=HOUR), at=T0 + YEAR))
    await spool.recover(T0)
    actor = Actor("approver", CHIEF)
    answer = await spool.consents.approve(decided, None, CHIEF, actor, "", T0 + MINUTE)
    assert answer.change.done == (0, 1)
    assert await spool.consents.pass_deadlines(T0 + HOUR - MINUTE, 10) == 0
    assert await spool.consents.pass_deadlines(T0 + HOUR, 10) == 1
    assert {row.state for row in (await spool.get(queue_id)).recipients} == {State.CANCELLED}
