"""`sekisho doctor` and `sekisho keys` where the store is a PostgreSQL that two nodes share."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from gateway.store.keys import MasterKey
from tests.cluster.conftest import KEY, Node
from tests.cluster.test_nodes import held, send, subjects
from tests.postgres import Cluster
from tests.process import Gateway, NextHop, wait_for


@pytest.fixture
def alone(tmp_path: Path, hop: NextHop) -> Callable[[str], Gateway]:
    """Settings of a node that does not run."""

    def made(url: str) -> Gateway:
        gw = Gateway(tmp_path / "alone", hop.port, extra=f"node: gw1\nstore: {{url: '{url}'}}\n")
        (gw.folder / "var").mkdir(parents=True)
        gw.write()
        put_key(gw, KEY)
        return gw

    return made


def put_key(gw: Gateway, octets: bytes) -> None:
    path = gw.folder / "var" / "master.key"
    path.write_bytes(octets)
    path.chmod(0o600)


def said(gw: Gateway, check: str) -> str:
    done = gw.cli("doctor", "--config", str(gw.config), check=False)
    (line,) = [line for line in done.stdout.splitlines() if line[5:].startswith(f"{check} ")]
    assert done.returncode == (1 if "BAD" in done.stdout else 0)
    return line


def test_the_doctor_looks_at_the_database_and_changes_nothing(
    alone: Callable[[str], Gateway], node: Node, postgres: Cluster
) -> None:
    url = postgres.empty()
    gw = alone(url)
    line = said(gw, "database")
    assert line.startswith("ok ")
    for words in (
        "PostgreSQL 1",
        "empty: the first start makes schema",
        "round trip",
        "no synchronous standby",
    ):
        assert words in line
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('messages')").fetchone() == (None,)
    node("gw7", at=url)
    assert "running: gw7" in said(gw, "database")
    assert "synchronous_commit on" in said(gw, "database")


def test_the_doctor_names_what_is_wrong(alone: Callable[[str], Gateway], node: Node, url: str) -> None:
    gw = alone(url)
    (gw.folder / "var" / "master.key").unlink()
    line = said(gw, "master key")
    assert line.startswith("BAD ")
    assert "need the same one" in line, "each node making its own would be wrong"
    node("gw7")
    put_key(gw, b"x" * 32)
    assert f"written under master key {MasterKey(KEY).key_id}" in said(gw, "database")


def test_the_doctor_says_that_a_database_is_away(alone: Callable[[str], Gateway]) -> None:
    line = said(alone("postgresql://postgres@127.0.0.1:1/none"), "database")
    assert line.startswith("BAD ")
    assert "cannot be reached" in line


def test_a_key_is_rotated_on_two_nodes_while_they_run(
    node: Node, hop: NextHop, url: str, alone: Callable[[str], Gateway]
) -> None:
    """The new key is on every node before anything needs it, so no node meets a mail that it cannot open."""
    one, two = node("gw1", "10m"), node("gw2", "10m")
    send(one, "before")
    announced = one.cli("keys", "rotate", "--config", str(one.config)).stdout
    new = announced.split()[-1]
    assert "running: gw1, gw2" in announced
    again = one.cli("keys", "rotate", "--config", str(one.config), check=False)
    assert (again.returncode, new in again.stderr) == (1, True), "not a second one"
    copy_key(one, two)
    wait_for(lambda: adopted(one, 1) and adopted(two, 1), "both nodes to know it")
    done = one.cli("keys", "rotate", "--to", new, "--config", str(one.config))
    assert f"key {new} is in use; 1 message keys" in done.stdout
    assert "every other node again" in done.stderr
    send(two, "by the other, under the old one")
    copy_key(one, two)
    wait_for(lambda: adopted(two, 2), "the other node to use it")
    assert "1 message keys" in one.cli("keys", "rotate", "--to", new, "--config", str(one.config)).stdout
    used = {row["key_id"]: row["messages"] for row in two.cli_json("keys", "list")}
    assert used == {new: 2, MasterKey(KEY).key_id: 0}
    late = alone(url)  # it has the old key only, and could open nothing of what the others take in
    refused = late.cli("serve", "--config", str(late.config), check=False)
    assert (refused.returncode, f"use master key {new}" in refused.stderr) == (1, True)
    two.cli("keys", "retire", "--now", "--config", str(two.config))
    copy_key(two, one)
    for queue_id in held(one):
        one.cli("held", "release", queue_id, "--config", str(one.config))
    wait_for(lambda: len(subjects(hop)) == 2, "mail from before and after")
    one.cli("log", "verify", "--config", str(one.config))


def copy_key(source: Gateway, target: Gateway) -> None:
    made = target.folder / "var" / "new"
    shutil.copy2(source.folder / "var" / "master.key", made)
    made.rename(target.folder / "var" / "master.key")


def adopted(gw: Gateway, times: int) -> bool:
    return gw.log_text.count('"master-key.adopted"') == times
