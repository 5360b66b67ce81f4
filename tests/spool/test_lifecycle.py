"""The table, walked pair by pair: what it forbids, the store's compare-and-set refuses."""

from __future__ import annotations

from itertools import product

import pytest
import sqlalchemy as sa

from gateway.spool.holds import recipients_of
from gateway.spool.lifecycle import CANCELLABLE, FINAL, TRANSITIONS, State, sources
from gateway.spool.moves import Arrival, move
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import FROZEN
from gateway.spool.sql import SqlSpool
from gateway.spool.times import to_us
from gateway.store.errors import StoreUnavailable
from gateway.store.schema import recipients
from gateway.store.tx import Tx
from tests.spool.mails import T0, mail

PAIRS = [(source, target) for source, target in product(State, State) if sources(target)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_only_the_table_decides_what_moves(spool: SqlSpool, source: State, target: State) -> None:
    queue_id = await spool.accept(mail(queued=1))

    def attempt(tx: Tx) -> str:
        tx.connection.execute(recipients.update().values(state=source.value))
        due_at = tx.connection.execute(sa.select(recipients.c.due_at)).scalar_one()
        row = RecipientRow(queue_id, 0, source, due_at, None, 0, 0, "", None, None, None)
        move(tx, [row], target, Arrival(to_us(T0)))
        return str(tx.connection.execute(sa.select(recipients.c.state)).scalar_one())

    committer = spool._db.committer
    if target in TRANSITIONS[source]:
        assert await committer.run(attempt) == target
    else:
        with pytest.raises(StoreUnavailable, match="moved by another"):
            await committer.run(attempt)


async def test_nobody_lets_go_what_was_frozen_since_they_looked(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))

    def attempt(tx: Tx) -> None:
        row = recipients_of(tx, queue_id)[0]
        tx.connection.execute(recipients.update().values(due_at=to_us(FROZEN)))
        move(tx, [row], State.QUEUED, Arrival(to_us(T0)))

    with pytest.raises(StoreUnavailable, match="moved by another"):
        await spool.database.committer.run(attempt)


@pytest.mark.parametrize("changed", [{"state": State.CANCELLED.value}, {"lease": "another"}])
@pytest.mark.parametrize("index", range(4))
async def test_neighbours_move_together_or_not_at_all(
    spool: SqlSpool, index: int, changed: dict[str, object]
) -> None:
    queue_id = await spool.accept(mail(queued=4))

    def attempt(tx: Tx) -> None:
        rows = recipients_of(tx, queue_id)
        tx.connection.execute(recipients.update().where(recipients.c.idx == index).values(changed))
        move(tx, rows, State.ACTIVE, Arrival(to_us(T0)))

    with pytest.raises(StoreUnavailable, match="1 of 4 recipients were moved by another"):
        await spool.database.committer.run(attempt)


async def test_whom_nobody_named_stays_where_they_are_between_neighbours(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(queued=7))

    def attempt(tx: Tx) -> list[int]:
        rows = recipients_of(tx, queue_id)
        move(tx, [rows[each] for each in (5, 0, 4, 1, 2)], State.ACTIVE, Arrival(to_us(T0), attempts=1))
        return [row.idx for row in recipients_of(tx, queue_id) if row.state is State.ACTIVE]

    assert await spool.database.committer.run(attempt) == [0, 1, 2, 4, 5]


async def test_neighbours_that_were_read_differently_each_keep_what_they_were(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(queued=4))

    def attempt(tx: Tx) -> int:
        odd = recipients.c.idx % 2 == 1
        tx.connection.execute(recipients.update().where(odd).values(state=State.DEFERRED.value, lease="old"))
        rows = recipients_of(tx, queue_id)
        move(tx, rows, State.ACTIVE, Arrival(to_us(T0)))
        return len([row for row in recipients_of(tx, queue_id) if row.state is State.ACTIVE])

    assert await spool.database.committer.run(attempt) == 4


def test_the_table_is_closed() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == FINAL
    assert sources(State.CANCELLED) == CANCELLABLE
    assert State.ACTIVE not in CANCELLABLE
