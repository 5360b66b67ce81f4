"""Fixtures of the fault tests: a gateway with a disk and clocks that fail on order, and a next hop behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.orders import Orders, built_shim
from tests.process import Gateway, NextHop, next_hop


@dataclass
class House:
    """A running gateway, what shall go wrong in it, and its next hop."""

    gw: Gateway
    hop: NextHop
    orders: Orders


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def house(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One gateway for a whole file: each test leaves it sound, which is half of what is tested."""
    yield from a_house(tmp_path_factory.mktemp("house"), shim)


@pytest.fixture
def fresh_house(shim: Path, tmp_path: Path) -> Iterator[House]:
    """A gateway of the test's own."""
    yield from a_house(tmp_path, shim)


def a_house(folder: Path, shim: Path) -> Iterator[House]:
    orders = Orders(folder, shim)
    with next_hop() as hop:
        gw = Gateway(folder, hop.port, window="1s", surroundings=orders.environment)
        gw.write()
        gw.start()
        try:
            yield House(gw, hop, orders)
        finally:
            if gw.process is not None and gw.process.poll() is None:
                gw.process.kill()
                gw.process.wait()
