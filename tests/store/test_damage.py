"""Databases that are really damaged: told in clear words, kept aside, never replaced by a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.spool.sql import open_spool
from gateway.store.damage import refuse_damaged
from gateway.store.errors import StoreUnavailable
from tests.spool.mails import mail
from tests.store.conftest import MASTER


async def filled(state: Path) -> Path:
    """Return the database of a state directory with enough mail for many pages, all of it in the main file."""
    spool = open_spool(state, MASTER, serve=True)
    for _ in range(60):
        await spool.accept(mail(held=3))
    await spool.close()
    return state / "sekisho.db"


def root_page(path: Path, name: str) -> tuple[int, int]:
    """Return offset and size of the root page of a table or index."""
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name]).fetchone()
    return (page - 1) * size, size


def overwrite(path: Path, at: int, octets: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(octets)


def page_of(name: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        at, size = root_page(path, name)
        overwrite(path, at, b"\xa5" * size)

    return damage


def header(path: Path) -> None:
    overwrite(path, 0, b"\x00" * 100)


def cut(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[: len(octets) // 2])


DAMAGES = {
    "table": page_of("messages"),
    "events": page_of("events"),
    "index": page_of("ix_recipients_held"),
    "header": header,
    "cut in half": cut,
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_damaged_database_is_told_and_kept(state: Path, name: str) -> None:
    path = await filled(state)
    DAMAGES[name](path)
    damaged = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"is damaged .*restore a backup"):
            open_spool(state, MASTER, serve=True)
    assert path.read_bytes() == damaged
    (kept,) = (state / "corrupt").glob("sekisho.db.*")
    assert kept.read_bytes() == damaged


async def test_a_sound_database_and_a_new_one_start(state: Path) -> None:
    path = await filled(state)
    refuse_damaged(path)
    refuse_damaged(state / "none.db")
    assert list((state / "corrupt").iterdir()) == []


async def test_a_check_that_takes_too_long_does_not_stop_the_start(state: Path) -> None:
    refuse_damaged(await filled(state), seconds=0)


async def test_a_database_that_is_gone_while_its_mail_is_there_is_not_made_anew(state: Path) -> None:
    spool = open_spool(state, MASTER, serve=True)
    await spool.accept(mail(held=1, raw=bytes(100_000)))
    await spool.close()
    (state / "sekisho.db").unlink()
    with pytest.raises(StoreUnavailable, match=r"sekisho\.db is missing"):
        open_spool(state, MASTER, serve=True)
    assert not (state / "sekisho.db").exists()


@pytest.mark.parametrize(("part", "refused"), [(0.3, True), (0.999, False)])
async def test_a_wal_damaged_in_the_middle_is_not_taken_for_a_torn_one(
    state: Path, part: float, refused: bool
) -> None:
    """SQLite would drop everything behind the damage, acknowledged or not, and say nothing."""
    spool = open_spool(state, MASTER, serve=True)
    for _ in range(20):
        await spool.accept(mail(held=1))
    copy = state.with_name("copy")
    copy.mkdir()
    for name in ("sekisho.db", "sekisho.db-wal"):  # as a crash leaves them
        (copy / name).write_bytes((state / name).read_bytes())
    await spool.close()
    wal = copy / "sekisho.db-wal"
    overwrite(wal, int(wal.stat().st_size * part), b"\xa5" * 100)
    damaged = wal.read_bytes()
    if not refused:
        await open_spool(copy, MASTER, serve=True).close()
        return
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"WAL is damaged in the middle: [0-9]+ acknowledged"):
            open_spool(copy, MASTER, serve=True)
    assert wal.read_bytes() == damaged


async def test_a_wal_that_was_cut_off_costs_only_what_was_not_whole(state: Path) -> None:
    spool = open_spool(state, MASTER, serve=True)
    first = await spool.accept(mail(held=1))
    wal = state / "sekisho.db-wal"
    whole = wal.stat().st_size
    await spool.accept(mail(held=1))
    copy = state.with_name("copy")
    copy.mkdir()
    (copy / "sekisho.db").write_bytes((state / "sekisho.db").read_bytes())
    (copy / "sekisho.db-wal").write_bytes(wal.read_bytes()[: whole + 100])
    await spool.close()
    again = open_spool(copy, MASTER, serve=True)
    assert [message.queue_id for message in await again.held(10)] == [first]
    await again.close()
