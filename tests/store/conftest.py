"""An open state directory for the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.keys import MasterKey

MASTER = MasterKey(bytes(range(32)))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def database(state: Path) -> Iterator[Database]:
    opened = Database(state, MASTER, serve=True)
    yield opened
    opened.close()
