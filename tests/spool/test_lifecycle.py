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


def test_the_table_is_closed() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == FINAL
    assert sources(State.CANCELLED) == CANCELLABLE
    assert State.ACTIVE not in CANCELLABLE
