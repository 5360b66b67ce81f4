"""A second PostgreSQL that follows the first one by streaming, and takes its place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from tests.postgres import Cluster, own
from tests.process import free_port, wait_for


@contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """Run a synchronous standby: from here on no COMMIT of the primary ends before it is on the standby's disk too."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    second = replace(primary, folder=folder, port=free_port())
    try:
        own(folder)
        second.run(
            "pg_basebackup", "-d", primary.url("postgres"), "-D", str(folder / "data"), "-R", "-c", "fast"
        )
        second.start()
        try:
            primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.sql("SELECT pg_reload_conf()")
            wait_for(lambda: follows(primary), "the standby to follow")
            yield second
        finally:
            second.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def follows(primary: Cluster) -> bool:
    """Tell whether the primary waits for a standby."""
    with psycopg.connect(primary.url("postgres")) as connection:
        found = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
    return found == [("sync",)]


def both(url: str, primary: Cluster, second: Cluster) -> str:
    """Return the URL of a database that names both servers."""
    return url.replace(f":{primary.port}/", f":{primary.port},127.0.0.1:{second.port}/")
