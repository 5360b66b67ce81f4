"""Keys under a new master key, after a restore, after a repair, on a clock that steps, and nowhere else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.policy.protection import Way
from gateway.spool.contract import StoreUnavailable
from gateway.spool.key_contract import NoKey, Stage
from gateway.spool.mending import mend
from gateway.spool.rekeying import rewrap_all, uses
from gateway.spool.reopening import hold_all
from gateway.spool.rewrapping import SMALL, rewrap_small
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.attachment_tables import key_sendings, message_keys, shares
from gateway.store.database import event_seal, fresh_database
from gateway.store.keys import MasterKey
from gateway.store.salvage import salvage
from gateway.store.schema import messages, metadata, recipients
from gateway.store.where import Where
from gateway.store.wrapping import WRAPPED, bound
from tests.spool.conftest import MASTER
from tests.spool.keyed import CLERK, DAY, NUMBER, keyed, sealed
from tests.spool.mails import LEASE, MINUTE, T0, delivered

ADMIN = Actor("admin", "root")
AGREED = "agreed-with-r2-in-person"


async def filled(spool: SqlSpool) -> str:
    """Accept a mail with every kind of key: two sent to recipients, one agreed on, a number typed."""
    await spool.keys.agree("r2@example.com", AGREED, ADMIN, T0)
    own = sealed(Way.SMS, own_key=True)
    queue_id = await spool.accept(keyed(sealed(None), own, sealed(Way.PREAGREED), window=MINUTE))
    await spool.keys.supply(queue_id, [0], Way.SMS, NUMBER, CLERK, T0)
    return queue_id


def test_every_wrapped_column_is_known() -> None:
    """A table with a key of the master key's, and a column that it wraps, cannot be forgotten by a rotation."""
    there = {
        table.name
        for table in metadata.sorted_tables
        if "key_id" in table.c and any(column.name.startswith("wrapped") for column in table.c)
    }
    assert {table.name for table, _ in WRAPPED} | {"bodies", "secrets"} == there


async def test_a_rotation_while_keys_wait(spool: SqlSpool) -> None:
    queue_id = await filled(spool)
    before = await spool.keys.to_seal(queue_id, [0, 1, 2])
    new = MASTER.successor()
    spool.database.adopt(new)
    assert await spool.keys.to_seal(queue_id, [0, 1, 2]) == before
    done = await rewrap_all(spool, new)
    assert (done.changed, done.stranded) == (5, ())  # a body, two keys, a number, an agreed key
    assert set(await uses(spool)) == {new.key_id}
    spool.database.adopt(new.alone())
    assert await spool.keys.to_seal(queue_id, [0, 1, 2]) == before
    spool.database.adopt(new)
    await spool.release_due(T0 + MINUTE, 10)
    for claim in await spool.claim(T0 + MINUTE, 10, LEASE):
        await spool.record(claim, [delivered(each.index) for each in claim.message.recipients], T0 + MINUTE)
    found = await spool.keys.due_sendings(T0 + MINUTE, 10, LEASE)
    assert {each.to for each in found} == {NUMBER, ""}


async def test_a_code_of_a_share_is_wrapped_anew(spool: SqlSpool) -> None:
    queue_id = await filled(spool)
    wrapped = MASTER.wrap(b"123456", bound("shares", queue_id, 0))
    values = {column.name: 0 for column in shares.c} | {"fetched": "{}", "visits": "{}"}
    row = values | {"queue_id": queue_id, "key_id": MASTER.key_id, "wrapped_code": wrapped}
    await spool.database.committer.run(lambda tx: tx.connection.execute(shares.insert().values(**row)))
    new = MASTER.successor()
    (small,) = [each for each in SMALL if each.name == "shares"]
    assert await rewrap_small(spool.database, small, new) == (1, [])
    ((key_id, again),) = await spool.database.readers.run(
        lambda q: q.connection.execute(sa.select(shares.c.key_id, shares.c.wrapped_code)).all()
    )
    assert new.alone().unwrap(bytes(again), bound("shares", queue_id, 0)) == b"123456"
    assert key_id == new.key_id


async def test_what_cannot_be_opened_is_told_and_the_rest_goes_on(spool: SqlSpool) -> None:
    queue_id = await filled(spool)
    await spool.database.committer.run(
        lambda tx: tx.connection.execute(key_sendings.update().values(wrapped_to=b"x" * 40))
    )
    done = await rewrap_all(spool, MASTER.successor())
    assert queue_id in done.stranded


async def test_without_the_master_key_a_key_is_as_a_store_that_does_not_answer(spool: SqlSpool) -> None:
    queue_id = await filled(spool)
    spool.database.adopt(MasterKey(bytes(reversed(range(32)))))
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await spool.keys.to_seal(queue_id, [0])


async def test_after_a_restore_no_key_goes_by_itself(spool: SqlSpool) -> None:
    queue_id = await filled(spool)
    second = await spool.accept(keyed(sealed(Way.SECOND_MAIL)))
    for claim in await spool.claim(T0, 10, LEASE):
        await spool.record(claim, [delivered(0)], T0)
    await hold_all(spool, "2026-04-01", ADMIN, T0)
    assert await spool.keys.due_sendings(T0 + 300 * DAY, 10, LEASE) == []
    (status,) = await spool.keys.statuses(second)
    assert (status.stage, status.detail[:8]) == (Stage.FAILED, "restored")
    assert {each.stage for each in await spool.keys.statuses(queue_id)} == {Stage.WAITING}
    assert (await spool.keys.supply(second, [0], Way.SENDER, "", CLERK, T0)).done == (0,)


async def test_a_clock_that_was_put_right_loses_no_key(spool: SqlSpool) -> None:
    ahead = T0 + timedelta(days=365)
    await spool.accept(keyed(sealed(Way.SECOND_MAIL, expires=900 * DAY), at=ahead))
    for claim in await spool.claim(ahead, 10, LEASE):
        await spool.record(claim, [delivered(0)], ahead)
    await spool.recover(T0)
    assert await spool.keys.due_sendings(T0 + 9 * MINUTE, 10, LEASE) == []
    assert len(await spool.keys.due_sendings(T0 + 10 * MINUTE, 10, LEASE)) == 1


async def test_nothing_tells_a_key(spool: SqlSpool, where: Where, capfd: pytest.CaptureFixture[str]) -> None:
    queue_id = await filled(spool)
    keys = await spool.keys.to_seal(queue_id, [0, 1, 2])
    await spool.release_due(T0 + MINUTE, 10)
    (claim,) = await spool.claim(T0 + MINUTE, 10, LEASE)
    await spool.record(claim, [delivered(0), delivered(1), delivered(2)], T0 + MINUTE)
    for sending in await spool.keys.due_sendings(T0 + MINUTE, 10, LEASE):
        await spool.keys.not_sent(sending, f"no {sending.text} to {sending.to}", None, T0 + MINUTE)
        shown = repr(sending)
        assert sending.text not in shown
    everything = await spool.database.readers.run(
        lambda q: "".join(str(q.connection.execute(sa.select(each)).all()) for each in metadata.sorted_tables)
    )
    told = everything + repr(await spool.get(queue_id)) + repr(await spool.keys.statuses(queue_id))
    told += repr(keys) + repr(claim) + "".join(capfd.readouterr())
    for secret in (*[key.text for key in keys.values()], AGREED, NUMBER.lstrip("+")):
        assert secret not in told
    if not where.url:
        octets = b"".join(file.read_bytes() for file in where.state.rglob("*") if file.is_file())
        assert all(key.text.encode() not in octets for key in keys.values())


@pytest.mark.parametrize("state", ["cancelled", "bounced"])
async def test_what_an_older_gateway_cancels_leaves_no_key(spool: SqlSpool, state: str) -> None:
    """It works on the same store, can cancel what it cannot read, and knows nothing of keys."""
    queue_id = await filled(spool)
    ended = recipients.update().where(recipients.c.idx > 0).values(state=state, due_at=None)
    await spool.database.committer.run(lambda tx: tx.connection.execute(ended))
    await spool.ageing.purge(T0, 90 * DAY, 90 * DAY, 10)
    assert [each.stage for each in await spool.keys.statuses(queue_id)] == ["waiting", "stopped", "stopped"]
    kept = await spool.database.readers.run(
        lambda q: list(q.connection.execute(sa.select(message_keys.c.number)).scalars())
    )
    assert kept == [0]
    assert await spool.ageing.purge(T0, 90 * DAY, 90 * DAY, 10) == 0


async def test_a_repair_keeps_keys_and_lets_none_go(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "state", MASTER, serve=True)
    queue_id = await filled(spool)
    before = await spool.keys.to_seal(queue_id, [0, 1, 2])
    await spool.accept(keyed(sealed(Way.SMS)))
    await spool.close()
    damaged, fresh = tmp_path / "state" / "sekisho.db", tmp_path / "fresh.db"
    with closing(sqlite3.connect(damaged)) as connection:
        connection.execute("PRAGMA foreign_keys = 0")
        connection.execute("DELETE FROM messages WHERE queue_id <> ?", [queue_id])  # as lost pages would
        connection.execute("UPDATE key_sendings SET stage = 'garbage' WHERE queue_id <> ?", [queue_id])
        connection.commit()
    fresh_database(fresh)
    salvage(damaged, fresh)
    with closing(sqlite3.connect(fresh)) as connection:
        mend(connection, event_seal(MASTER), MASTER.key_id, 0)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    fresh.replace(damaged)
    for name in ("-wal", "-shm"):
        damaged.with_name(damaged.name + name).unlink(missing_ok=True)
    spool = open_spool(tmp_path / "state", MASTER, serve=True)
    assert await spool.keys.to_seal(queue_id, [0, 1, 2]) == before
    there = await spool.database.readers.run(
        lambda q: q.connection.execute(sa.select(sa.func.count()).select_from(messages)).scalar()
    )
    assert there == 2
    await spool.close()


@pytest.mark.parametrize("table", ["message_keys", "key_sendings"])
async def test_a_repair_names_mail_whose_keys_are_lost(tmp_path: Path, table: str) -> None:
    spool = open_spool(tmp_path / "state", MASTER, serve=True)
    queue_id = await filled(spool)
    await spool.close()
    with closing(sqlite3.connect(tmp_path / "state" / "sekisho.db")) as connection:
        connection.execute(f"DELETE FROM {table}")
        losses = mend(connection, event_seal(MASTER), MASTER.key_id, 0)
    assert ["keys of its attachments" in each for each in losses.mails[queue_id]] == [True]
    spool = open_spool(tmp_path / "state", MASTER, serve=True)
    with pytest.raises(NoKey):
        await spool.keys.to_seal(queue_id, [0])
    await spool.close()
