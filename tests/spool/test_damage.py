"""Damaged bodies, dead processes, failing disks: what the spool says and keeps."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.spool.claiming import UNREADABLE_AGAIN
from gateway.spool.contract import BodyUnreadable, StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.bodies import INLINE_LIMIT
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, RAW, T0, mail

LARGE = os.urandom(INLINE_LIMIT + 1)


@pytest.fixture(autouse=True)
def _large_bodies_are_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the largest are; what happens to segments is in test_segments."""
    monkeypatch.setattr("gateway.store.bodies.SEGMENT_LIMIT", 0)


def body_file(state: Path, queue_id: str) -> Path:
    return state / "bodies" / queue_id[-2:] / queue_id


def kinds(state: Path, queue_id: str) -> list[tuple[str, str]]:
    with EventLog(state) as log:
        return [(entry.kind, entry.reason) for entry in log.query(Question(queue_id=queue_id))]


@pytest.mark.parametrize("damage", ["cut", "gone"])
async def test_a_damaged_file_is_told_once_and_kept(tmp_path: Path, damage: str) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=LARGE))
    path = body_file(tmp_path, queue_id)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    for _ in range(2):
        with pytest.raises(BodyUnreadable):
            await spool.raw(queue_id)
    assert (tmp_path / "corrupt" / queue_id).exists() == (damage == "cut")
    assert (await spool.get(queue_id)).recipients[0].state is State.HELD
    await spool.close()
    assert kinds(tmp_path, queue_id) == [("accepted", "policy"), ("corrupt", "unreadable")]


async def test_a_file_put_back_from_a_backup_is_read_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=LARGE))
    path = body_file(tmp_path, queue_id)
    backup = path.read_bytes()
    path.write_bytes(b"damaged")
    with pytest.raises(BodyUnreadable):
        await spool.raw(queue_id)
    path.write_bytes(backup)
    assert await spool.raw(queue_id) == LARGE
    await spool.close()


async def test_a_file_put_back_survives_a_restart(tmp_path: Path) -> None:
    """The start sweeps files without a row; one whose body was told damaged still has its row."""
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=LARGE))
    path = body_file(tmp_path, queue_id)
    backup = path.read_bytes()
    path.unlink()
    with pytest.raises(BodyUnreadable):
        await spool.raw(queue_id)
    await spool.close()
    path.write_bytes(backup)
    os.utime(path, (0, 0))
    again = open_spool(tmp_path, MASTER, serve=True)
    assert await again.raw(queue_id) == LARGE
    await again.close()


async def test_a_file_that_the_disk_refuses_concerns_its_mail_only(tmp_path: Path) -> None:
    """Were it the store that is unavailable, one bad sector would stop every notice behind it."""
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=LARGE))
    path = body_file(tmp_path, queue_id)
    path.rename(path.with_suffix(".aside"))
    path.mkdir()  # reading it fails with an OSError, also for root
    with pytest.raises(BodyUnreadable):
        await spool.raw(queue_id)
    path.rmdir()
    path.with_suffix(".aside").rename(path)
    assert await spool.raw(queue_id) == LARGE
    await spool.close()
    assert kinds(tmp_path, queue_id) == [("accepted", "policy")]


async def test_a_mail_that_cannot_be_read_from_its_row_does_not_stop_the_others(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    poison, good = [await spool.accept(mail(queued=2)) for _ in range(2)]
    with sqlite3.connect(tmp_path / "sekisho.db") as other:
        other.execute("""UPDATE messages SET envelope = '{"v":2}' WHERE queue_id = ?""", [poison])
    other.close()
    claims = await spool.claim(T0, 10, LEASE)
    assert [claim.message.queue_id for claim in claims] == [good]
    assert await spool.claim(T0, 10, LEASE) == []
    assert (await spool.figures()).by_state[State.DEFERRED] == 2
    assert await spool.next_due() == T0 + UNREADABLE_AGAIN
    await spool.close()
    assert kinds(tmp_path, poison)[1:] == [("attempt", "system"), ("deferred", "unreadable")]


@pytest.mark.parametrize("what", ["envelope = '{'", "envelope = '{\"v\":2}'", "decision = '[]'"])
async def test_a_record_that_cannot_be_read_is_listed_and_can_be_cancelled(tmp_path: Path, what: str) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    poison, good = [await spool.accept(mail(held=2)) for _ in range(2)]
    with sqlite3.connect(tmp_path / "sekisho.db") as other:
        other.execute(f"UPDATE messages SET {what} WHERE queue_id = ?", [poison])
    other.close()
    listed = {message.queue_id: message for message in await spool.held(10)}
    assert {queue_id: message.unreadable for queue_id, message in listed.items()} == {
        poison: True,
        good: False,
    }
    assert [row.state for row in listed[poison].recipients] == [State.HELD] * 2
    assert (await spool.get(poison)).unreadable
    change = await spool.cancel(poison, None, Actor("admin"), Reason.BY_ADMIN, T0)
    assert change.done == (0, 1)
    await spool.close()


async def test_an_altered_inline_body_does_not_open(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    ids = [await spool.accept(mail(held=1)) for _ in range(2)]
    with sqlite3.connect(tmp_path / "sekisho.db") as other:
        swap = "UPDATE bodies SET data = (SELECT data FROM bodies WHERE queue_id = ?) WHERE queue_id = ?"
        other.execute(swap, ids)
    other.close()
    assert await spool.raw(ids[0]) == RAW
    with pytest.raises(BodyUnreadable):
        await spool.raw(ids[1])
    await spool.close()


async def test_a_start_takes_back_what_a_dead_process_leased(tmp_path: Path) -> None:
    dead = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await dead.accept(mail(queued=2))
    await dead.claim(T0, 10, LEASE)
    await dead.close()
    command = open_spool(tmp_path, MASTER)
    assert await command.recover(T0) == 0
    await command.close()
    spool = open_spool(tmp_path, MASTER, serve=True)
    assert await spool.recover(T0) == 2
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert [recipient.attempts for recipient in claim.message.recipients] == [2, 2]
    await spool.close()
    assert ("deferred", "lease-lost") in kinds(tmp_path, queue_id)


async def test_a_start_sweeps_what_a_crash_left_and_keeps_what_has_a_row(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=LARGE))
    await spool.close()
    orphan, half = body_file(tmp_path, "0000000000000AAB"), tmp_path / "bodies" / "tmp" / "dead-0000"
    for path in (orphan, half):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (1000, 1000))
    os.utime(body_file(tmp_path, queue_id), (1000, 1000))
    command = open_spool(tmp_path, MASTER)
    assert orphan.exists()
    await command.close()
    spool = open_spool(tmp_path, MASTER, serve=True)
    assert not orphan.exists()
    assert not half.exists()
    assert await spool.raw(queue_id) == LARGE
    await spool.close()


@pytest.mark.parametrize("uncertain", [False, True])
async def test_a_failing_store_refuses_and_leaves_no_half_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncertain: bool
) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        if uncertain:
            patched.setattr(sa.engine.RootTransaction, "commit", broken)
        else:
            patched.setattr("gateway.store.tx.Tx.flush", broken)
        with pytest.raises(StoreUnavailable):
            await spool.accept(mail(held=1, raw=LARGE))
    files = [path for path in (tmp_path / "bodies").rglob("*") if path.is_file()]
    assert len(files) == (
        1 if uncertain else 0
    )  # a commit that failed at its end may yet come back: keep its body
    assert await spool.held(10) == []
    assert await spool.next_due() is None
    queue_id = await spool.accept(mail(held=1, raw=LARGE))
    assert await spool.raw(queue_id) == LARGE
    await spool.close()


@pytest.mark.parametrize("raw", [RAW, LARGE])
async def test_a_client_that_goes_away_loses_nothing_that_was_handed_over(tmp_path: Path, raw: bytes) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    task = asyncio.create_task(spool.accept(mail(held=1, raw=raw)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await spool.close()
    spool = open_spool(tmp_path, MASTER, serve=True)
    (message,) = await spool.held(10)
    assert await spool.raw(message.queue_id) == raw
    await spool.close()


async def test_verbs_on_a_closed_store_are_temporary_failures(tmp_path: Path) -> None:
    spool: SqlSpool = open_spool(tmp_path, MASTER, serve=True)
    await spool.close()
    for verb in (spool.accept(mail(held=1)), spool.accept(mail(held=1, raw=LARGE)), spool.figures()):
        with pytest.raises(StoreUnavailable, match="closed"):
            await verb
