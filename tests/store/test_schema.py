"""Migrations, SQLite's settings, and the plans of what runs often."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gateway.spool import statements
from gateway.store import migrate
from gateway.store import sqlite as dialect
from gateway.store.database import Database
from gateway.store.errors import StoreMisconfigured
from gateway.store.migrate import HEAD, upgrade
from gateway.store.schema import metadata
from gateway.store.sqlite import writer_engine
from gateway.store.tx import Prepared
from tests.store.conftest import MASTER


def test_the_migrations_add_up_to_the_schema(tmp_path: Path) -> None:
    migrated, created = writer_engine(tmp_path / "migrated.db"), writer_engine(tmp_path / "created.db")
    with migrated.begin() as connection:
        upgrade(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    with created.begin() as connection:
        metadata.create_all(connection)
    assert _definitions(migrated) == _definitions(created)
    migrated.dispose()
    created.dispose()


def _definitions(engine: sa.Engine) -> dict[str, tuple[list[tuple[object, ...]], str]]:
    """Return columns of tables and texts of indexes: alembic compares neither WITHOUT ROWID nor a partial index's WHERE."""
    with engine.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"
        )
        return {
            name: (
                [tuple(c) for c in connection.exec_driver_sql(f"PRAGMA table_info('{name}')")]
                if type_ == "table"
                else [],
                " ".join((sql or "").split()) if type_ == "index" else str("WITHOUT ROWID" in (sql or "")),
            )
            for type_, name, sql in found.all()
            if not name.startswith("sqlite_")
        }


def test_a_database_of_a_newer_version_is_refused(state: Path) -> None:
    Database(state, MASTER, serve=False).close()
    with sqlite3.connect(state / "sekisho.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreMisconfigured, match="9999"):
        Database(state, MASTER, serve=False)


def test_durability_is_set_and_read_back(database: Database) -> None:
    def read(name: str) -> object:
        return database.readers.read(lambda q: q.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    demanded = {name: read(name) for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}
    assert demanded == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_a_database_that_cannot_keep_its_promises_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "_DEMANDED", (("journal_mode", "wal"), ("synchronous", 7)))
    with pytest.raises(StoreMisconfigured, match="synchronous"):
        writer_engine(tmp_path / "x.db").connect()


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match="readonly"):
        database.readers.read(lambda q: q.connection.exec_driver_sql("DELETE FROM tallies"))


PLANS = {
    "FIRST_HELD": "ix_recipients_held",
    "FIRST_MOVING": "ix_recipients_moving",
    "HELD_DUE": "ix_recipients_held",
    "MOVING_DUE": "ix_recipients_moving",
    "LEASED": "ix_recipients_active",
    "DEFERRED_SINCE": "ix_recipients_moving",
    "DELAYED": "ix_recipients_moving",
    "HELD_MESSAGES": "ix_messages_held",
    "NOTICES": "SEARCH outbox USING INTEGER PRIMARY KEY (rowid>?)",
}


@pytest.mark.parametrize(("name", "index"), PLANS.items())
def test_what_runs_often_never_scans_a_table(database: Database, name: str, index: str) -> None:
    statement: Prepared = getattr(statements, name)

    def explain(sql: str, parameters: dict[str, object]) -> list[str]:
        query = f"EXPLAIN QUERY PLAN {sql}"
        return database.readers.read(
            lambda q: [row[-1] for row in q.connection.exec_driver_sql(query, parameters)]
        )

    compiled = statement.statement.compile(dialect=database.readers._engine.dialect)
    plan = explain(*[str(compiled), dict.fromkeys(compiled.params, 0)])  # type: ignore[arg-type]
    assert any(index in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan
    assert name != "NOTICES" or "SEARCH recipients USING PRIMARY KEY (queue_id=?)" in plan, plan


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    names = [path.stem for path in Path(migrate.__file__).parent.glob("migrations/versions/m*.py")]
    assert max(names).startswith(f"m{HEAD}_")
