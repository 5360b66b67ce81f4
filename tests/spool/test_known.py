"""A long mail's row is read for its first claim only; what the next claims say is true all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.spool.known import LONG, KnownMessages
from gateway.spool.lifecycle import State
from gateway.spool.records import MessageRow
from gateway.spool.sql import SqlSpool
from gateway.spool.statements import messages_in
from gateway.spool.values import Claim
from gateway.store.schema import messages
from tests.spool.mails import LEASE, T0, deferred, delivered, mail


def row(name: str, characters: int) -> MessageRow:
    return MessageRow(name, 0, "", 1, "e" * characters, "", 0)


def test_what_is_short_or_too_long_is_not_kept() -> None:
    known = KnownMessages(room=2 * LONG)
    for characters in (1, LONG - 1, 2 * LONG + 1):
        known.keep(row("A", characters))
    assert known.among(["A"]) == {}
    assert known.size == 0


def test_the_longest_unused_goes_first() -> None:
    known = KnownMessages(room=2 * LONG)
    for name in "AB":
        known.keep(row(name, LONG))
        known.keep(row(name, LONG))
    assert list(known.among("A")) == ["A"]
    known.keep(row("C", LONG))
    assert sorted(known.among("ABC")) == ["A", "C"]
    assert known.size == 2 * LONG


async def test_a_long_mail_is_read_for_its_first_claim_only(
    spool: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[list[str]] = []

    def noted(queue_ids: list[str]) -> sa.Select[Any]:
        reads.append(queue_ids)
        return messages_in(queue_ids)

    monkeypatch.setattr("gateway.spool.claiming.messages_in", noted)
    long = await spool.accept(mail(queued=1_000))
    short = await spool.accept(mail(queued=2))
    [first] = await spool.claim(T0, 10, LEASE, share=10)
    assert reads == [[long]]
    await spool.record(first, [deferred(0, T0), *(delivered(index) for index in range(1, 10))], T0)
    again = await spool.claim(T0, 1_001, LEASE)
    assert reads == [[long], [short]]
    [one] = [claim.message for claim in again if claim.message.queue_id == long]
    assert [r.index for r in one.recipients] == [0, *range(10, 1_000)]
    assert one.recipients[0].attempts == 2
    assert one.recipients[0].reply == "451 later"
    assert one.envelope == first.message.envelope
    assert one.decision == first.message.decision


async def test_results_of_one_commit_count_together(spool: SqlSpool) -> None:
    """Many jobs of one transaction, one message: its counters are true, and it is finished when all are."""
    queue_id = await spool.accept(mail(queued=40))
    claims = [(await spool.claim(T0, 4, LEASE, share=4))[0] for _ in range(10)]
    await all_delivered(spool, claims[:9])
    assert await counters(spool, queue_id) == (4, False)
    await all_delivered(spool, claims[9:])
    assert await counters(spool, queue_id) == (0, True)
    stored = await spool.get(queue_id)
    assert {each.state for each in stored.recipients} == {State.DELIVERED}


async def all_delivered(spool: SqlSpool, claims: Sequence[Claim]) -> None:
    """Record each result by itself, all at once."""
    single = [(claim, each.index) for claim in claims for each in claim.message.recipients]
    await asyncio.gather(*(spool.record(claim, [delivered(index)], T0) for claim, index in single))


async def counters(spool: SqlSpool, queue_id: str) -> tuple[int, bool]:
    query = sa.select(messages.c.open_recipients, messages.c.finished_at).where(
        messages.c.queue_id == queue_id
    )
    found = await spool.database.readers.run(lambda queries: queries.connection.execute(query).one())
    return found[0], found[1] is not None
