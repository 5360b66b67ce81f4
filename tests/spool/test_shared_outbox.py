"""Notices of one outbox and two nodes on one PostgreSQL: each is taken by one node, and told of by one mail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.statements import GLANCES, NOTICE, TAKEN_NOTICES
from gateway.store.tx import Prepared
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.conftest import MASTER
from tests.spool.mails import T0, Ticks, mail

FAR = 1_000_000  # above every row's number here


@pytest.fixture
def where(postgres: Cluster, tmp_path: Path) -> Iterator[Where]:
    url = postgres.fresh()
    yield Where(tmp_path / "state", url, node="gw1")
    postgres.drop(url)


@pytest.fixture
async def other(spool: SqlSpool, where: Where, ticks: Ticks, tmp_path: Path) -> AsyncIterator[SqlSpool]:
    """A second node; `spool` is the first."""
    there = replace(where, state=tmp_path / "other", node="gw2")
    opened = open_spool(there, MASTER, serve=True, clock=lambda: T0, monotonic=ticks)
    yield opened
    await opened.close()


async def test_what_one_node_took_the_other_does_not_see(spool: SqlSpool, other: SqlSpool) -> None:
    for node in (spool, other, spool):
        await node.accept(mail(held=1, notify_sender=True))
    taken = await spool.notices.pending(10)
    assert len(taken) == 3
    assert await other.notices.pending(10) == []
    await other.accept(mail(held=1, notify_sender=True))
    assert len(await other.notices.pending(10)) == 1
    assert await spool.notices.pending(10) == taken


async def test_a_look_beyond_what_is_known_finds_what_is_free_below(spool: SqlSpool, other: SqlSpool) -> None:
    """Numbers are given before they are committed: a lower one may come later."""
    await other.accept(mail(held=1, notify_sender=True))
    (late,) = await spool.notices.pending(10, FAR)
    assert late.hold_ends is not None
    assert await spool.notices.pending(10, FAR) == []
    assert await spool.notices.pending(10, late.notice_id - 1) == [late]


async def test_a_letter_that_two_nodes_wrote_is_sent_once(spool: SqlSpool, other: SqlSpool) -> None:
    """A node that was cut off comes back with what it had collected, after another has taken it over."""
    for _ in range(5):
        await spool.accept(mail(held=1, notify_sender=True))
    notices = await spool.notices.pending(10)
    letter = mail(queued=1, sender=None, from_gateway=True)
    told = await asyncio.gather(
        spool.notices.finish(notices, letter), other.notices.finish(notices[1:], letter)
    )
    assert told.count(None) == 1
    figures = await spool.figures()
    assert figures.pending_notices == (0 if told[0] else 1)
    assert sum(figures.by_state.values()) == 6


@pytest.mark.parametrize("statement", [TAKEN_NOTICES, NOTICE, GLANCES])
async def test_a_notice_looks_at_its_own_messages_only(spool: SqlSpool, statement: Prepared) -> None:
    """Before it has statistics, the planner takes the index of all holds for as good as the primary key."""
    sql, own = statement.compiled(spool.database.readers._engine.dialect)
    names = re.findall(r"%\((b_\w+)\)", sql)
    values = own | {name: 0 if name in ("b_after", "b_limit", "b_notice_id") else "" for name in names}
    plan = spool.database.readers.read(
        lambda q: [row[0] for row in q.connection.exec_driver_sql(f"EXPLAIN {sql}", values)]
    )
    assert any("recipients" in step for step in plan), plan
    assert not any("ix_recipients_held" in step for step in plan), plan
