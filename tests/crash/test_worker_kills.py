"""The same as test_random_kills with two workers, on SQLite and on PostgreSQL; starts are slow, so there are fewer kills.

CRASH_WORKER_CYCLES kills on each store (three in `make test`, five in `.ci/run`), about half of them of one worker only.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store.where import Where
from tests.crash.herd import herd
from tests.crash.test_random_kills import (
    HELD_FOR_LONG,
    SEED,
    account,
    check,
    drained,
    kill_under_load,
    refuse_some,
)
from tests.postgres import Cluster
from tests.process import Gateway, next_hop, wait_for

pytestmark = pytest.mark.crash

CYCLES = int(os.environ.get("CRASH_WORKER_CYCLES", "3"))
SHARED = "node: gw1\nstore: {{url: '{url}', node_timeout: 2s}}\n"


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    state = tmp_path / "var"
    state.mkdir()
    key = state / "master.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    if request.param == "sqlite":
        yield Where(state)
        return
    server: Cluster = request.getfixturevalue("postgres")
    url = server.fresh()
    yield Where(state, url, node="gw1", node_timeout=timedelta(seconds=2))
    server.drop(url)


def test_every_250_is_accounted_for_after_kills_of_workers(tmp_path: Path, where: Where) -> None:
    with next_hop() as hop:
        hop.answer = refuse_some
        extra = "workers: 2\n" + (SHARED.format(url=where.url) if where.url else "")
        gw = Gateway(tmp_path, hop.port, window="1s", extra=extra)
        gw.write()
        with (tmp_path / "policies" / "default.yaml").open("a", encoding="utf-8") as policy:
            policy.write(HELD_FOR_LONG)
        with herd(gw.config, SEED) as keeper:
            load, thoughts = kill_under_load(gw, keeper, where, CYCLES)
            wait_for(gw.alive, "the last gateway")
            asyncio.run(drained(where))
            assert keeper.stop() == 0, gw.log_text[-2000:]
        assert len(load.acknowledged) > CYCLES, "the load never got going"
        books = asyncio.run(account(where, load, hop))
        print(f"kills {keeper.crashes}, {books}")
        check(books, thoughts, CYCLES)
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
