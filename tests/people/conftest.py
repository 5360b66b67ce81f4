"""People on either store, with hashes that cost nothing."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from gateway.config.sign_in_settings import SignIn
from gateway.people.contract import Grant, Person, Role
from gateway.people.passwords import Hashing
from gateway.people.session_rows import Origin
from gateway.people.sql import SqlPeople
from gateway.policy.demands import Language
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from gateway.store.database import Database
from gateway.store.schema import events
from gateway.store.tx import Queries
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.conftest import MASTER, STORES
from tests.spool.conftest import spool as spool
from tests.spool.conftest import ticks as ticks
from tests.spool.mails import T0

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BOSS = Actor("admin", "root")
GOOD = "tall bamboo by the river"
OTHER = "seven crows on a wire"
HERE = Origin("192.0.2.7", "Firefox")
ELSEWHERE = Origin("203.0.113.9", "curl")


class House:
    """People on a store. `stopped` are logins that the accounts file suspends."""

    def __init__(self, spool: SqlSpool, **settings: Any) -> None:
        self.spool = spool
        self.stopped: set[str] = set()
        self.heard = 0
        self.hashing = Hashing(CHEAP)
        self.settings = SignIn(**({"totp_required": ()} | settings))
        self.people = SqlPeople(
            spool.database, self.hashing, self.settings, lambda login: login in self.stopped, self._hear
        )
        self.now = T0

    async def _hear(self) -> None:
        self.heard += 1

    def later(self, span: timedelta) -> datetime:
        self.now += span
        return self.now

    async def add(self, login: str, *grants: Grant, password: str | None = GOOD) -> Person:
        wanted = Person(
            login, login.title(), (f"{login}@example.jp",), grants or (Grant(Role.SENDER),), Language.EN
        )
        await self.people.add(wanted, BOSS, self.now)
        if password is not None:
            await self.people.own.set_password(login, password, BOSS, self.now)
        return await self.people.get(login)

    def told(self) -> list[dict[str, Any]]:
        """Return the events that tell of people."""
        return [row for row in self.rows(events) if '"who"' in row["detail"]]

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """Return all rows of a table."""

        def read(queries: Queries) -> list[dict[str, Any]]:
            return [dict(row) for row in queries.connection.execute(table.select()).mappings()]

        return self.spool.database.readers.read(read)


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store that has been through the migrations, to be copied: they take longer than most tests."""
    folder = tmp_path_factory.mktemp("empty") / "state"
    Database(folder, MASTER, serve=False).close()
    return folder


@pytest.fixture(params=STORES)
def where(request: pytest.FixtureRequest, tmp_path: Path, empty_state: Path) -> Iterator[Where]:
    """An empty store of either kind."""
    if request.param == "sqlite":
        shutil.copytree(empty_state, tmp_path / "state")
        yield Where(tmp_path / "state")
        return
    server: Cluster = request.getfixturevalue("postgres")
    url = server.fresh()
    yield Where(tmp_path / "state", url, node="gw1")
    server.drop(url)


@pytest.fixture
async def house(spool: SqlSpool) -> AsyncIterator[House]:
    made = House(spool)
    yield made
    made.hashing.close()
