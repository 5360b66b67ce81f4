"""The product with a PostgreSQL for its store: a server of our own on loopback, every commit synced.

Each run gets a database of its own and drops it. The server is asked whether it syncs; one that does not would be measured
against a Postfix that does.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.bench.machine import filesystem
from tests.bench.relays import Contestant, Relay, sekisho
from tests.postgres import Cluster, absent, cluster

ON_POSTGRES = "sekisho on PostgreSQL"


def on(server: Cluster, workers: int) -> Contestant:
    """Return the product on this server as a contestant."""

    @contextmanager
    def start(sink_port: int) -> Iterator[Relay]:
        url = server.fresh()

        def settings(folder: Path) -> dict[str, str]:
            key = folder / "key"  # gateways that may share a database are given their key
            key.write_bytes(secrets.token_bytes(32))
            key.chmod(0o600)
            return {"store.url": url, "master_key_file": str(key)}

        try:
            with sekisho(sink_port, workers, settings) as relay:
                yield relay
        finally:
            server.drop(url)

    return Contestant(ON_POSTGRES, start)


def insist_on_syncing(server: Cluster) -> None:
    """Fail where a commit of this server is not on the disk on which the peer's queue stands."""
    ours, theirs = filesystem(server.folder), filesystem(Path(tempfile.gettempdir()))
    assert ours == theirs, f"PostgreSQL stands on {ours}, the queues on {theirs}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for setting in (b"fsync", b"synchronous_commit", b"full_page_writes"):
            row = connection.execute(b"SHOW " + setting).fetchone()
            assert row == ("on",), f"PostgreSQL runs with {setting.decode()} = {row}"


__all__ = ["ON_POSTGRES", "absent", "cluster", "insist_on_syncing", "on"]
