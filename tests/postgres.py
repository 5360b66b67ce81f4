"""A private PostgreSQL for tests: a cluster in a temporary directory, run by an unprivileged user."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from gateway.store.migrate import upgrade
from gateway.store.postgres import writer_engine
from gateway.store.where import Where
from tests.process import free_port

PLACES = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin")
USER = "postgres"
MEMORY = Path("/dev/shm")
MEMORY_OCTETS = 2 << 30
READY = "ready"  # the database that those of tests are copies of: migrating each takes longer than most tests
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server."""

    programs: Path
    folder: Path
    port: int
    addresses: tuple[str, ...] = ("127.0.0.1",)
    in_memory: bool = False

    def url(self, database: str, host: str = "127.0.0.1") -> str:
        return f"postgresql://{USER}@{host}:{self.port}/{database}"

    def fresh(self) -> str:
        """Create a database of its own for a test, with our schema and no row of anybody's; return its URL."""
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres")) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [READY]).fetchone()
        if found is None:
            _migrate(self.empty(READY))
        self.sql(f"CREATE DATABASE {name} TEMPLATE {READY}")
        return self.url(name)

    def empty(self, name: str = "") -> str:
        """Create a database without a schema; return its URL."""
        name = name or f"t{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a test's database, whoever is still connected."""
        self.sql(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def sql(self, statement: str) -> None:
        """Run a statement outside every test's database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def restart(self, how: str = "fast") -> None:
        """Stop the server as `pg_ctl stop -m` has it, and start it again."""
        self.stop(how)
        self.start()

    def start(self) -> None:
        listen = ",".join(self.addresses)
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={listen} -c max_connections=200"
        if self.in_memory:
            options += " -c max_wal_size=80MB"  # memory ends
        log = str(self.folder / "log")
        self._control("start", "-w", "-l", log, "-o", options)

    def stop(self, how: str = "fast") -> None:
        self._control("stop", "-w", "-m", how)

    def end(self) -> None:
        """Stop the server at once where it still runs."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._control("promote", "-w")

    def run(self, program: str, *words: str) -> None:
        """Run one of the server's programs as its user."""
        _as_user([str(self.programs / program), *words])

    def _control(self, *words: str) -> None:
        _as_user([str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), *words])


def _migrate(url: str) -> None:
    engine = writer_engine(Where(Path(), url))
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()


def absent() -> str:
    """Say why there can be no PostgreSQL, empty where there can."""
    if _programs() is None:
        return "PostgreSQL is not installed"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(USER)
        except KeyError:
            return f"there is no user {USER} to run PostgreSQL as"
    return ""


def needed() -> None:
    """Skip the test where PostgreSQL is absent; fail where it must be there (TEST_NO_SKIP)."""
    if why := absent():
        if os.environ.get("TEST_NO_SKIP"):
            pytest.fail(why)
        pytest.skip(why)


@contextmanager
def cluster(*addresses: str, on_disk: bool = False) -> Iterator[Cluster]:
    """Run a server of our own, on loopback and on these addresses; whoever reaches one may come in.

    It stands in memory where there is room, or among temporary files with the settings it comes with (`on_disk`).
    """
    programs = _programs()
    assert programs is not None
    memory = None if on_disk else _quick_place()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=memory))
    running = Cluster(programs, folder, free_port(), ("127.0.0.1", *addresses), memory is not None)
    try:
        own(folder)
        data = str(folder / "data")
        _as_user(
            [str(programs / "initdb"), "-D", data, "-U", USER, "-E", "UTF8", "--locale=C", "-A", "trust"]
        )
        if addresses:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all trust\n")
        running.start()
        try:
            yield running
        finally:
            running.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _quick_place() -> Path | None:
    """Return a folder in memory, None where it has no room: creating and dropping a database waits for the disk."""
    with suppress(OSError):
        if shutil.disk_usage(MEMORY).free > MEMORY_OCTETS:
            return MEMORY
    return None


def own(folder: Path) -> None:
    """Give a folder to the user who runs the servers."""
    if os.geteuid() == 0:
        shutil.chown(folder, USER)


def _programs() -> Path | None:
    return next((Path(place) for place in PLACES if (Path(place) / "pg_ctl").exists()), None)


def _as_user(command: Sequence[str]) -> None:
    """Run a command as a user whom PostgreSQL accepts; its output goes nowhere, because a server would keep a pipe open."""
    before = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.geteuid() == 0 else []
    quiet = subprocess.DEVNULL
    subprocess.run(
        [*before, *command], stdin=quiet, stdout=quiet, stderr=quiet, timeout=LIMIT_S, check=True, cwd="/"
    )
