"""Several gateways write a chain each; one verification checks them together, and none can be removed unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from gateway.audit.entries import Entry, Question
from gateway.audit.log import EventLog
from gateway.audit.verify import verify, verify_chains
from gateway.cli import main
from gateway.store.chains import open_chain
from gateway.store.database import FILE_NAME, Database, event_seal
from gateway.store.events import Event
from gateway.store.keys import MasterKey
from gateway.store.sqlite import writer_engine
from gateway.store.tables import metadata
from gateway.store.tx import Tx
from tests.audit.test_verify import check, tamper

MINUTE_US = 60_000_000


def write(state: Path, master: MasterKey, node: str, *minutes: int) -> None:
    """Write events of another node, so many minutes after the first event there is."""
    engine, seal = writer_engine(state / FILE_NAME), event_seal(master)
    with engine.begin() as connection:
        began = int(connection.execute(sa.text("SELECT min(at) FROM events")).scalar_one())
        open_chain(connection, node, seal)
        tx = Tx(connection, seal, node)
        for minute in minutes:
            tx.event(Event(began + minute * MINUTE_US, None, "started", "system", detail={"of": node}))
        tx.flush()
        tx.close()
    engine.dispose()


@pytest.fixture
def nodes(state: Path, history: object, master: MasterKey) -> Path:
    write(state, master, "gw1", 1, 3)
    write(state, master, "gw2", 2)
    return state


def test_all_chains_are_verified_together(nodes: Path, master: MasterKey) -> None:
    with EventLog(nodes) as log:
        found = [(v.node, v.checked, v.intact, v.sealed) for v in verify_chains(log, event_seal(master))]
    assert found == [("", 7, True, True), ("gw1", 2, True, True), ("gw2", 1, True, True)]
    assert check(nodes, master).checked == 10


def test_the_first_wrong_event_of_each_chain_is_named(nodes: Path, master: MasterKey) -> None:
    tamper(nodes, "UPDATE events SET reason = 'x' WHERE seq = 2 AND node = 'gw1'")
    tamper(nodes, "UPDATE events SET reason = 'x' WHERE seq = 5 AND node = ''")
    with EventLog(nodes) as log:
        assert [(v.node, v.seq) for v in verify_chains(log, event_seal(master))] == [
            ("", 5),
            ("gw1", 2),
            ("gw2", None),
        ]


REMOVALS = {
    "a chain and its head": ("DELETE FROM events WHERE node = 'gw2'", "DELETE FROM chain WHERE node = 'gw2'"),
    "the list too": (
        "DELETE FROM events WHERE node = 'gw2'",
        "DELETE FROM chain WHERE node = 'gw2'",
        "DELETE FROM chain_list",
    ),
    "its name in the list too": (
        "DELETE FROM events WHERE node = 'gw2'",
        "DELETE FROM chain WHERE node = 'gw2'",
        """UPDATE chain_list SET nodes = '["","gw1"]'""",
    ),
    "put into another chain": ("UPDATE events SET node = 'gw3' WHERE node = 'gw2'",),
    "renamed with its head": (
        "UPDATE events SET node = 'gw3' WHERE node = 'gw2'",
        "UPDATE chain SET node = 'gw3' WHERE node = 'gw2'",
        """UPDATE chain_list SET nodes = '["","gw1","gw3"]'""",
    ),
}


@pytest.mark.parametrize("statements", REMOVALS.values(), ids=REMOVALS)
def test_a_chain_cannot_be_removed_unnoticed(
    nodes: Path, master: MasterKey, statements: tuple[str, ...]
) -> None:
    tamper(nodes, *statements)
    assert not check(nodes, master).intact
    write(nodes, master, "gw1", 4)  # a node that starts again does not seal over it
    assert not check(nodes, master).intact


def test_a_chain_that_was_added_without_the_key_is_found_out(nodes: Path, master: MasterKey) -> None:
    tamper(nodes, "INSERT INTO chain SELECT 'gw9', seq, hash, seal FROM chain WHERE node = 'gw2'")
    assert not check(nodes, master).intact


def test_chains_are_read_together_by_time_and_one_by_number(nodes: Path) -> None:
    with EventLog(nodes) as log:
        merged = list(log.stream(Question()))
        assert [e.at for e in merged] == sorted(e.at for e in merged)
        assert {e.node for e in merged} == {"", "gw1", "gw2"}
        assert len(merged) == 10
        assert [e.seq for e in log.stream(Question(node="gw1", after=1))] == [2]


def test_pages_of_several_chains_meet(nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EventLog(nodes) as log:
        whole: list[Entry] = log.query(Question())
        monkeypatch.setattr("gateway.audit.log.PAGE", 2)
        assert list(log.stream(Question())) == whole


def test_the_command_names_the_chains(nodes: Path, master: MasterKey) -> None:
    tamper(nodes, "DELETE FROM events WHERE node = 'gw2'")
    result = CliRunner().invoke(main, ["log", "verify", "--state", str(nodes)])
    assert result.exit_code == 1
    assert "gw1: 2 events, an unbroken chain" in result.output
    assert "gw2: ALTERED: event 1 and later ones up to 1 are missing" in result.output
    told = json.loads(CliRunner().invoke(main, ["log", "verify", "--json", "--state", str(nodes)]).output)
    assert [chain["intact"] for chain in told["chains"]] == [True, True, False]
    assert not told["intact"]


def test_a_store_from_before_there_were_nodes_keeps_its_chain(
    state: Path, history: object, master: MasterKey
) -> None:
    """The database as the first schema had it: the next opening migrates it, and every hash and seal still holds."""
    tamper(state, *_BACK_TO_THE_FIRST_SCHEMA)
    write_nothing(state, master)
    with EventLog(state) as log:
        verdict = verify(log, event_seal(master))
    assert (verdict.checked, verdict.intact, verdict.sealed) == (7, True, True)


def write_nothing(state: Path, master: MasterKey) -> None:
    """Open and close the store, as any command does."""
    Database(state, master, serve=False).close()


_EVENT = "seq, at, queue_id, kind, reason, actor_kind, actor_name, recipients, detail, prev, hash"
_FIRST_TABLES = {"messages", "recipients", "bodies", "outbox", "events", "chain", "tallies", "master_keys"}
_NEWER_TABLES = [table.name for table in reversed(metadata.sorted_tables) if table.name not in _FIRST_TABLES]
_BACK_TO_THE_FIRST_SCHEMA = (
    f"CREATE TABLE kept AS SELECT {_EVENT} FROM events",
    "DROP TABLE events",
    "CREATE TABLE events (seq BIGINT NOT NULL, at BIGINT NOT NULL, queue_id TEXT, kind TEXT NOT NULL, reason TEXT NOT NULL, "
    "actor_kind TEXT NOT NULL, actor_name TEXT NOT NULL, recipients TEXT NOT NULL, detail TEXT NOT NULL, "
    "prev BLOB NOT NULL, hash BLOB NOT NULL, CONSTRAINT pk_events PRIMARY KEY (seq))",
    f"INSERT INTO events SELECT {_EVENT} FROM kept",
    "DROP TABLE kept",
    "CREATE TABLE old_chain AS SELECT 1 AS id, seq, hash, seal FROM chain",
    "DROP TABLE chain",
    "ALTER TABLE old_chain RENAME TO chain",
    "CREATE TABLE old_tallies AS SELECT state, recipients FROM tallies",
    "DROP TABLE tallies",
    "ALTER TABLE old_tallies RENAME TO tallies",
    "ALTER TABLE outbox DROP COLUMN owner",
    "DROP INDEX ix_bodies_segment",
    "DROP INDEX IF EXISTS ix_events_lines",
    *(f"ALTER TABLE bodies DROP COLUMN {name}" for name in ("segment", "start", "length")),
    *(f"DROP TABLE {name}" for name in _NEWER_TABLES),
    "ALTER TABLE messages DROP COLUMN facts",
    "ALTER TABLE messages DROP COLUMN sender_groups",
    "UPDATE alembic_version SET version_num = '0001'",
)
