"""Databases that are really damaged: told in clear words, kept aside, never replaced by a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.spool.sql import open_spool
from gateway.store import wal
from gateway.store.damage import refuse_damaged
from gateway.store.errors import StoreUnavailable
from gateway.store.wal import damaged_in_the_middle
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
    log = copy / "sekisho.db-wal"
    overwrite(log, int(log.stat().st_size * part), b"\xa5" * 100)
    damaged = log.read_bytes()
    if not refused:
        await open_spool(copy, MASTER, serve=True).close()
        return
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"WAL is damaged in the middle: [0-9]+ acknowledged"):
            open_spool(copy, MASTER, serve=True)
    assert log.read_bytes() == damaged


def logged(folder: Path, before: dict[str, bytes], *sizes: int) -> dict[str, bytes]:
    """Return a database and its WAL as a kill leaves them, after one more commit for each size; `before` is what was there."""
    folder.mkdir()
    for name, octets in before.items():
        (folder / name).write_bytes(octets)
    with closing(sqlite3.connect(folder / "db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS t (octets BLOB)")
        for size in sizes:
            connection.execute("INSERT INTO t VALUES (zeroblob(?))", (size,))
            connection.commit()
        return {name: (folder / name).read_bytes() for name in ("db", "db-wal")}


def test_what_killed_processes_left_behind_the_end_of_a_wal_is_no_damage(tmp_path: Path) -> None:
    """Two were killed before their commits counted, while others wrote on over them: their frames were nobody's 250."""
    files = logged(tmp_path / "first", {}, 100, 100, 100)
    short, middle, long = (
        logged(tmp_path / str(size), files, size)["db-wal"] for size in (100, 20_000, 60_000)
    )
    assert short[:32] == middle[:32] == long[:32]  # one WAL
    assert len(short) < len(middle) < len(long)
    left = tmp_path / "left-wal"
    left.write_bytes(short + middle[len(short) :] + long[len(middle) :])
    assert damaged_in_the_middle(left) == 0
    for place, lost in ((len(long) - 10_000, 0), (len(files["db-wal"]) - 6_000, 2)):
        left.write_bytes(long[:place] + b"\xa5" * 40 + long[place + 40 :])
        assert damaged_in_the_middle(left) == lost


@pytest.mark.parametrize(
    ("looks", "commits"),
    [
        ([(1, 5), (0, 9)], 0),
        ([(1, 5), (2, 7), (1, 9), (0, 12)], 0),
        ([(1, 5), (1, 5)], 1),
        ([(1, 5), (2, 7), (3, 7)], 3),
        ([(1, number) for number in range(wal.LOOKS + 1)], 1),
    ],
)
def test_damage_is_believed_when_it_is_there_again(
    monkeypatch: pytest.MonkeyPatch, looks: list[tuple[int, int]], commits: int
) -> None:
    """A WAL that somebody writes while it is read may look torn anywhere, once."""
    found = iter(looks)
    monkeypatch.setattr(wal, "_lost", lambda _: next(found))
    monkeypatch.setattr(wal, "PAUSE_S", 0)
    assert damaged_in_the_middle(Path("sekisho.db-wal")) == commits
    assert list(found) == []


async def test_a_wal_that_was_cut_off_costs_only_what_was_not_whole(state: Path) -> None:
    spool = open_spool(state, MASTER, serve=True)
    first = await spool.accept(mail(held=1))
    log = state / "sekisho.db-wal"
    whole = log.stat().st_size
    await spool.accept(mail(held=1))
    copy = state.with_name("copy")
    copy.mkdir()
    (copy / "sekisho.db").write_bytes((state / "sekisho.db").read_bytes())
    (copy / "sekisho.db-wal").write_bytes(log.read_bytes()[: whole + 100])
    await spool.close()
    again = open_spool(copy, MASTER, serve=True)
    assert [message.queue_id for message in await again.held(10)] == [first]
    await again.close()
