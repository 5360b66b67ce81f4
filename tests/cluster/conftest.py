"""Two gateways as real processes on one PostgreSQL, before one next hop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.network import Network
from tests.postgres import Cluster
from tests.process import Gateway, NextHop, next_hop

KEY = bytes(range(32))
TIMEOUT = "4s"  # after which a silent node stops; two seconds later the others take over

Node = Callable[..., Gateway]


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def url(postgres: Cluster) -> Iterator[str]:
    made = postgres.fresh()
    yield made
    postgres.drop(made)


@pytest.fixture
def node(tmp_path: Path, hop: NextHop, url: str) -> Iterator[Node]:
    """Start gateways by name; whatever state they are in at the end, their processes end."""
    with ExitStack() as stack:

        def start(
            name: str,
            window: str = "1s",
            at: str = url,
            extra: str = "",
            inside: Network | None = None,
            hop_host: str = "127.0.0.1",
        ) -> Gateway:
            folder = tmp_path / name
            (folder / "var").mkdir(parents=True)
            key = folder / "var" / "master.key"
            key.write_bytes(KEY)
            key.chmod(0o600)
            store = f"node: {name}\nstore: {{url: '{at}', node_timeout: {TIMEOUT}}}\n"
            running = Gateway(folder, hop.port, window, store + extra, hop_host=hop_host)
            if inside is not None:
                running.host, running.hop_host = inside.mail.theirs, inside.mail.ours
            running.write()
            stack.callback(_end, running)
            running.start(*[inside.command] if inside is not None else [])
            return running

        yield start


def _end(running: Gateway) -> None:
    if running.process is not None and running.process.poll() is None:
        running.process.kill()
        running.process.wait()
