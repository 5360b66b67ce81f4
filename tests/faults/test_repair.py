"""`sekisho doctor --repair` on really damaged databases: what can be read is saved, what is lost is named, nothing leaves."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.cli import main
from gateway.spool.contract import BodyUnreadable, UnknownMessage
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import open_spool
from gateway.spool.values import Actor, Stored
from gateway.store.database import event_seal
from gateway.store.errors import StoreUnavailable
from gateway.store.instance import Instance
from gateway.store.keys import MasterKey
from tests.faults.pages import GARBAGE, PAGE, checkpoint, damage_page, page_of
from tests.spool.mails import RAW, T0, mail

MAILS, EACH = 120, 4
BODY = RAW + b"x" * 9_000


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a new state directory with a settings file beside it."""
    folder = tmp_path / "var"
    folder.mkdir()
    (tmp_path / "sekisho.yaml").write_text(f"hostname: gw.example.jp\nstate: {folder}\n")
    return folder


async def filled(state: Path) -> list[str]:
    """Fill a state directory with held mail; the fifth is cancelled. Return the queue ids."""
    spool = open_spool(state, MasterKey.create(state / "master.key"), serve=True)
    queue_ids = [await spool.accept(mail(held=EACH, raw=BODY)) for _ in range(MAILS)]
    await spool.cancel(queue_ids[4], None, Actor("admin"), Reason.BY_ADMIN, T0)
    await spool.close()
    checkpoint(state / "sekisho.db")
    return queue_ids


async def repaired(state: Path) -> Result:
    """Run the command, on a thread because it runs an event loop of its own."""
    command = ["doctor", "--repair", "--config", str(state.with_name("sekisho.yaml"))]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def found(state: Path, queue_ids: list[str]) -> tuple[dict[str, Stored], set[str]]:
    """Return all mails that are there, and those whose bodies open; nothing of them is due within years."""
    spool = open_spool(state, MasterKey.load(state / "master.key", {}), serve=True)
    there, opened = {}, set()
    for queue_id in queue_ids:
        with suppress(UnknownMessage, BodyUnreadable):
            there[queue_id] = await spool.get(queue_id)
            assert await spool.raw(queue_id) == BODY
            opened.add(queue_id)
    assert await spool.release_due(T0.replace(year=T0.year + 5), 10_000) == 0
    await spool.close()
    return there, opened


def events(state: Path) -> tuple[bool, str]:
    with EventLog(state) as log:
        verdict = verify(log, event_seal(MasterKey.load(state / "master.key", {})))
    return verdict.intact, verdict.problem


PAGES = {
    "recipients leaf": ("recipients", "leaf", 0.5),
    "recipients root": ("recipients", "internal", 0.0),
    "recipients index": ("ix_recipients_held", "leaf", 0.5),
    "messages leaf": ("messages", "leaf", 0.5),
    "messages key": ("sqlite_autoindex_messages_1", "leaf", 0.5),
    "body leaf": ("bodies", "leaf", 0.5),
    "body overflow": ("bodies", "first", 0.5),
    "events leaf": ("events", "leaf", 0.3),
    "newest events": ("events", "leaf", 0.999),
    "chain": ("chain", "leaf", 0.0),
    "tallies": ("tallies", "leaf", 0.0),
}


@pytest.mark.parametrize("name", PAGES)
async def test_what_can_be_read_is_saved_and_the_rest_is_named(state: Path, name: str) -> None:
    queue_ids = await filled(state)
    damage_page(state / "sekisho.db", page_of(state / "sekisho.db", *PAGES[name]))
    damaged = (state / "sekisho.db").read_bytes()
    done = await repaired(state)
    assert done.exit_code in (0, 1), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    (kept,) = (state / "corrupt").glob("before-repair-*/sekisho.db")
    assert kept.read_bytes() == damaged
    there, opened = await found(state, queue_ids)
    lost = dict(re.findall(r"(?m)^lost of ([0-9A-Z]{16}): (.*)$", done.output))
    assert set(queue_ids) <= set(there) | set(lost)
    assert {q for q in queue_ids if q not in opened} <= set(lost)
    assert len(lost) < MAILS or name == "recipients root"
    states = {
        row.state for queue_id in there if queue_id != queue_ids[4] for row in there[queue_id].recipients
    }
    assert states == {State.HELD}
    assert all(len(there[queue_id].recipients) == EACH for queue_id in there if queue_id != queue_ids[4])
    assert {row.state for row in there[queue_ids[4]].recipients} <= {State.CANCELLED}
    intact, problem = events(state)
    assert intact or (
        "the database was repaired: from there on" in problem and "lost events" in done.output
    ), problem
    with closing(sqlite3.connect(state / "sekisho.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        counted = dict(connection.execute("SELECT state, recipients FROM tallies").fetchall())
        assert (
            counted["held"] == connection.execute("SELECT sum(held_recipients) FROM messages").fetchone()[0]
        )
    assert "is sound: nothing to repair" in (await repaired(state)).output


async def test_a_sound_database_is_left_alone(state: Path) -> None:
    await filled(state)
    before = (state / "sekisho.db").read_bytes()
    done = await repaired(state)
    assert (done.exit_code, "is sound" in done.output) == (0, True)
    assert (state / "sekisho.db").read_bytes() == before
    assert not list(state.glob("repair*"))


def beyond_help(path: Path) -> None:
    path.write_bytes(GARBAGE * path.stat().st_size)


def without_header(path: Path) -> None:
    damage_page(path, 1)


def empty_tables(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[:PAGE])


@pytest.mark.parametrize("how", [beyond_help, without_header, empty_tables])
async def test_where_nothing_can_be_read_nothing_is_changed(state: Path, how: Callable[[Path], None]) -> None:
    await filled(state)
    how(state / "sekisho.db")
    before = (state / "sekisho.db").read_bytes()
    done = await repaired(state)
    assert done.exit_code == 1
    assert "nothing was changed" in done.output
    assert "restore a backup" in done.output
    assert (state / "sekisho.db").read_bytes() == before
    assert not list((state / "corrupt").glob("before-repair-*"))


async def test_it_refuses_while_a_gateway_runs(state: Path) -> None:
    await filled(state)
    lock = Instance(state, exclusive=True)
    done = await repaired(state)
    lock.close()
    assert (done.exit_code, "another sekisho serve" in done.output) == (1, True)


async def test_a_repair_that_was_cut_off_is_ended_by_the_next(state: Path) -> None:
    queue_ids = await filled(state)
    (state / "repaired").mkdir()
    (state / "sekisho.db").rename(state / "repaired" / "sekisho.db")
    with pytest.raises(StoreUnavailable, match="a repair was cut off"):
        open_spool(state, MasterKey.load(state / "master.key", {}), serve=True)
    assert "a repair that was cut off" in (await repaired(state)).output
    spool = open_spool(state, MasterKey.load(state / "master.key", {}), serve=True)
    assert [(await spool.get(queue_id)).queue_id for queue_id in queue_ids] == queue_ids
    await spool.close()


async def test_mail_in_a_segment_opens_after_a_repair_and_octets_without_a_record_are_kept(
    state: Path,
) -> None:
    raw = RAW + b"y" * 100_000
    spool = open_spool(state, MasterKey.create(state / "master.key"), serve=True)
    queue_ids = [await spool.accept(mail(held=1, raw=raw)) for _ in range(3)]
    await spool.close()
    spool = open_spool(state, MasterKey.load(state / "master.key", {}), serve=True)
    lost = await spool.accept(mail(held=1, raw=raw))
    await spool.close()
    whole, stray = sorted((state / "segments").iterdir(), key=lambda path: -path.stat().st_size)
    with closing(sqlite3.connect(state / "sekisho.db")) as connection, connection:
        connection.execute("PRAGMA foreign_keys = 1")
        connection.execute("DELETE FROM messages WHERE queue_id = ?", [lost])
    checkpoint(state / "sekisho.db")
    damage_page(state / "sekisho.db", page_of(state / "sekisho.db", "messages", "leaf", 0.5))
    octets = stray.read_bytes()
    done = await repaired(state)
    assert "1 segments hold octets without a record" in done.output, done.output
    spool = open_spool(state, MasterKey.load(state / "master.key", {}), serve=True)
    assert [await spool.raw(queue_id) for queue_id in queue_ids] == [raw] * 3
    await spool.close()
    assert (whole.exists(), stray.exists()) == (True, False)
    (kept,) = (state / "corrupt").glob(f"segments-*/{stray.name}")
    assert kept.read_bytes() == octets
