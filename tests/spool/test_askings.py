"""What waits for somebody's approval on both stores: whose, in what order, page by page, along an index."""

from __future__ import annotations

import pytest

from gateway.spool.list_contract import Scope
from gateway.spool.sql import SqlSpool
from tests.spool.asking import CHIEF, DEPUTY, HOUR, MAYOR, approval, asking, confirmation
from tests.spool.mails import T0

OF_CHIEF = Scope(asked=frozenset({CHIEF}))


async def test_soonest_first_each_once_and_only_ones_own(spool: SqlSpool) -> None:
    later = await spool.accept(asking(approval(CHIEF, within=5 * HOUR), at=T0))
    soon = await spool.accept(
        asking(
            approval(CHIEF, rule="a"),
            approval(CHIEF, DEPUTY, rule="b", within=HOUR),
            confirmation(within=HOUR),
        )
    )
    await spool.accept(asking(approval(MAYOR)))
    await spool.accept(asking(confirmation()))
    page = await spool.askings.page(OF_CHIEF)
    assert page.queue_ids == (soon, later)
    assert (page.after, page.found) == ("", 2)
    assert (await spool.askings.page(Scope())).queue_ids == ()


async def test_an_escalation_brings_it_to_who_is_asked_then(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, later=(HOUR, DEPUTY))))
    of_deputy = Scope(asked=frozenset({DEPUTY}))
    assert (await spool.askings.page(of_deputy)).queue_ids == ()
    await spool.consents.pass_deadlines(T0 + HOUR, 10)
    assert (await spool.askings.page(of_deputy)).queue_ids == (queue_id,)


async def test_pages_follow_each_other_without_gap_or_repetition(spool: SqlSpool) -> None:
    ids = [await spool.accept(asking(approval(CHIEF, within=(1 + n // 2) * HOUR))) for n in range(5)]
    seen, after = list[str](), ""
    while True:
        page = await spool.askings.page(OF_CHIEF, after, 2)
        seen += page.queue_ids
        after = page.after
        if not after:
            break
    assert sorted(seen) == sorted(ids)
    assert [ids.index(each) // 2 for each in seen] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("after", ["x", "1", "1.", ".A", "1.A;", "9" * 30 + ".A", "-1.A"])
async def test_a_place_that_is_none_is_refused(spool: SqlSpool, after: str) -> None:
    with pytest.raises(ValueError, match="place"):
        await spool.askings.page(OF_CHIEF, after)
