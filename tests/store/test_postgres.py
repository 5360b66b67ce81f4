"""What is particular to PostgreSQL: what is demanded of it, what its errors mean, who lives, and two versions side by side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gateway.config.settings import Settings, Store
from gateway.store import migrate, postgres
from gateway.store.database import Database
from gateway.store.errors import StoreMisconfigured, StoreUnavailable, WrongMasterKey
from gateway.store.events import Event
from gateway.store.keys import MasterKey
from gateway.store.living import living
from gateway.store.pulse import Pulse
from gateway.store.schema import metadata
from gateway.store.tx import Tx
from gateway.store.where import PASSWORD, Where, where_of
from tests.postgres import Cluster
from tests.spool.mails import Ticks
from tests.store.conftest import MASTER

URL = "postgresql://sekisho@db.example.jp/sekisho"


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    server: Cluster = request.getfixturevalue("postgres")
    url = server.empty()
    yield Where(tmp_path / "state", url, node="gw1", node_timeout=timedelta(seconds=4))
    server.drop(url)


def ask(where: Where, sql: str) -> object:
    with psycopg.connect(where.url, autocommit=True) as connection:
        found = connection.execute(sql.encode())
        row = found.fetchone() if found.description else None
        return row[0] if row else None


def write(tx: Tx) -> None:
    tx.event(Event(0, None, "started", "system"))


def test_the_migrations_add_up_to_the_schema(where: Where) -> None:
    Database(where, MASTER, serve=False).close()
    engine = postgres.writer_engine(where)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_what_is_demanded_is_read_back(where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres._DEMANDED, "full_page_writes", ("off",))
    with pytest.raises(StoreMisconfigured, match="full_page_writes"):
        Database(where, MASTER, serve=False)


def test_a_session_that_would_not_wait_for_the_disk_is_set_right(where: Where) -> None:
    ask(where, f"ALTER DATABASE {where.url.rpartition('/')[2]} SET synchronous_commit = off")
    with postgres.connect(where) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_the_server_notices_soon_that_a_node_is_gone(where: Where) -> None:
    """Or what a node that was cut off has locked stays locked for as long as the kernel likes: hours."""
    with postgres.connect(where) as connection:
        row = connection.execute("SHOW tcp_keepalives_idle").fetchone()
    assert row == ("5",)


def test_a_reader_cannot_write_and_sees_one_snapshot(where: Where) -> None:
    database = Database(where, MASTER, serve=False)
    with pytest.raises(StoreUnavailable, match="read-only"):
        database.readers.read(lambda q: q.connection.exec_driver_sql("DELETE FROM tallies"))
    level = database.readers.read(
        lambda q: q.connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
    )
    assert level == "repeatable read"
    database.close()


def test_another_master_key_is_refused(where: Where, tmp_path: Path) -> None:
    Database(where, MASTER, serve=False).close()
    with pytest.raises(WrongMasterKey):
        Database(where, MasterKey(b"x" * 32), serve=False)


def test_an_absent_server_is_unavailable_not_wrong(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Database(Where(tmp_path, "postgresql://x@127.0.0.1:1/none"), MASTER, serve=False)


async def test_a_connection_that_died_unnoticed_costs_no_mail(where: Where) -> None:
    database = Database(where, MASTER, serve=True)
    await database.committer.run(write)
    ask(
        where,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    await database.committer.run(write)
    assert ask(where, "SELECT count(*) FROM events") == 2
    database.close()


def test_a_node_takes_itself_for_dead_before_the_others_do(where: Where) -> None:
    Database(where, MASTER, serve=False).close()
    ticks = Ticks()
    pulse = Pulse(where, "me", ticks)
    pulse._beat()
    first = pulse.epoch()
    assert first is not None
    ticks.pass_by(timedelta(seconds=3.9))
    assert pulse.epoch() == first
    ticks.pass_by(timedelta(seconds=0.2))
    assert pulse.epoch() is None, "4 s without a beat"
    until = ask(where, "SELECT alive_until - EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 FROM nodes")
    assert float(str(until)) > 4_000_000, "the others wait longer than that"
    pulse._beat()
    assert pulse.epoch() not in (None, first), "leases from before are void"
    pulse.close()
    assert ask(where, "SELECT count(*) FROM nodes") == 0


def test_the_database_tells_who_lives(where: Where) -> None:
    database = Database(where, MASTER, serve=True)
    ask(where, "INSERT INTO nodes VALUES ('dead', 'gw2', '0002', 1)")
    assert database.readers.read(living) == {database.instance.name}
    database.close()


NEXT = f"{int(migrate.HEAD) + 1:04d}"  # the schema of a version to come
NEWER = (
    "ALTER TABLE messages ADD COLUMN extra TEXT",
    f"UPDATE alembic_version SET version_num = '{NEXT}'",
    "DELETE FROM compatibility",
)


async def test_old_and_new_run_side_by_side_where_the_newer_schema_allows_it(where: Where) -> None:
    """A later version only adds: who runs goes on, and who starts with today's code works on it as it is."""
    running = Database(where, MASTER, serve=True)
    for statement in (*NEWER, f"INSERT INTO compatibility VALUES ('{NEXT}', '{migrate.HEAD}')"):
        ask(where, statement)
    await running.committer.run(write)
    started = Database(Where(where.state.with_name("other"), where.url, node="gw2"), MASTER, serve=True)
    await started.committer.run(write)
    assert ask(where, "SELECT version_num FROM alembic_version") == NEXT
    assert ask(where, "SELECT count(*) FROM events") == 2
    started.close()
    running.close()


@pytest.mark.parametrize("marks", [(), (f"INSERT INTO compatibility VALUES ('{NEXT}', '{NEXT}')",)])
def test_a_newer_schema_that_does_not_allow_it_is_refused(where: Where, marks: tuple[str, ...]) -> None:
    Database(where, MASTER, serve=False).close()
    for statement in (*NEWER, *marks):
        ask(where, statement)
    with pytest.raises(StoreMisconfigured, match=NEXT):
        Database(where, MASTER, serve=False)


def test_a_migration_waits_for_nodes_that_could_not_work_on_it(where: Where) -> None:
    running = Database(where, MASTER, serve=True)
    engine = postgres.writer_engine(where)
    with engine.begin() as connection:
        migrate._refuse_while_older_ones_run(connection, migrate.HEAD)
        with pytest.raises(StoreMisconfigured, match="gw1 still runs"):
            migrate._refuse_while_older_ones_run(connection, NEXT)
    engine.dispose()
    running.close()


def test_where_the_password_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "db.password"
    file.write_text("from the file\n")
    settings = Settings(hostname="gw.example.jp", store=Store(url=URL, password_file=file))
    with pytest.raises(StoreMisconfigured, match="chmod 600"):
        where_of(settings, {})
    file.chmod(0o600)
    found = where_of(settings, {})
    assert found.password == "from the file"
    assert "from the file" not in repr(found)
    assert where_of(settings, {PASSWORD: "from outside"}).password == "from outside"
    assert where_of(Settings(hostname="gw.example.jp"), {PASSWORD: "x"}).password == ""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sekisho:secret@db/x",
        "postgresql://db/x?password=secret",
        "mysql://db/x",
        "postgresql://db",
        "db",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"password|PostgreSQL"):
        Store(url=url)


def test_several_hosts_and_our_own_words(tmp_path: Path) -> None:
    where = Where(tmp_path, "postgresql://sekisho@db1,db2:5433/sekisho?sslmode=verify-full", node="gw1")
    settings = postgres.connection_settings(where, writes=True)
    assert (settings["host"], settings["target_session_attrs"]) == ("db1,db2", "read-write")
    assert postgres.connection_settings(where, writes=False)["target_session_attrs"] == "primary"
    assert "password" not in settings
