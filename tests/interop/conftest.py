"""Peers for the interop tests: skipped where they are not installed, failed where TEST_NO_SKIP says they must be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.peers.postfix import Postfix, available, postfix
from tests.process import Gateway, NextHop, gateway, next_hop


def require(tool: str) -> str:
    """Return the path of an installed tool, or skip (fail under TEST_NO_SKIP)."""
    found = shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing(f"{tool} is not installed")
    assert found is not None
    return found


def missing(what: str) -> None:
    """Skip, or fail where skipping is not allowed."""
    if os.environ.get("TEST_NO_SKIP"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway before a next hop that keeps octets; outside mail waits one second."""
    with gateway(tmp_path, hop.port, window="1s") as running:
        yield running


@pytest.fixture
def behind_postfix(hop: NextHop, tmp_path: Path) -> Iterator[tuple[Gateway, NextHop, Postfix]]:
    """The gateway before a real Postfix, which hands to the next hop that keeps octets."""
    if not available():
        missing("Postfix is not installed, or this is not root")
    with (
        TemporaryDirectory() as folder,  # pytest takes away others' way into its own, whenever a run begins
        postfix(Path(folder), {"relayhost": f"[127.0.0.1]:{hop.port}"}) as mta,
    ):
        home = tmp_path / "gateway"
        home.mkdir()
        with gateway(home, mta.port, window="1s") as running:
            yield running, hop, mta
