"""The rehearsal: dump a PostgreSQL under a running gateway, put it back elsewhere, hold what is open, go on there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psycopg

from tests.cluster.conftest import Node
from tests.cluster.test_nodes import held, send, subjects
from tests.postgres import Cluster
from tests.process import Gateway, NextHop, wait_for

LARGE = b"0123456789abcdef" * 4 + b"\r\n"
GHOST = (  # as where a dump was put back at once
    "INSERT INTO nodes SELECT 'ghost', 'gw8', version_num, EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 + 4000000"
    " FROM alembic_version"
)


def dump(server: Cluster, url: str, file: Path) -> None:
    subprocess.run([server.programs / "pg_dump", "-Fc", "-f", file, url], check=True, timeout=60)


def put_back(server: Cluster, file: Path) -> str:
    url = server.empty()
    subprocess.run([server.programs / "pg_restore", "-d", url, file], check=True, timeout=60)
    return url


def test_what_was_open_in_a_dump_is_held_and_leaves_only_when_it_is_told(
    node: Node, hop: NextHop, url: str, postgres: Cluster, tmp_path: Path
) -> None:
    one = node("gw1", "10m")
    for subject, octets in (("left-since", LARGE), ("large", LARGE * 30_000), ("small", LARGE)):
        send(one, subject, body=octets)
    dump(postgres, url, tmp_path / "dump")
    by_subject = {message["subject"]: message["queue_id"] for message in one.cli_json("held", "list")}
    one.cli("held", "release", by_subject["left-since"], "--config", str(one.config))
    wait_for(lambda: subjects(hop) == ["left-since"], "mail that the dump still has as held")
    again = put_back(postgres, tmp_path / "dump")
    refused = one.cli("restored", "--config", str(one.config), check=False)
    assert (refused.returncode, "stop every gateway first" in refused.stderr) == (1, True)
    assert one.stop() == 0

    with psycopg.connect(again) as connection:
        connection.execute(GHOST.encode())
    one.config.write_text(one.config.read_text().replace(url, again))
    done = one.cli("restored", "--config", str(one.config))
    assert "3 recipients were open; all are HELD" in done.stdout
    assert "3 bodies open" in done.stdout
    assert "node gw8 said in this database that it lives" in done.stderr
    one.start()
    assert len(held(one)) == 3
    assert (
        "restored from a backup of 20"
        in one.cli("held", "show", by_subject["large"], "--config", str(one.config)).stdout
    )
    one.cli("held", "cancel", by_subject["left-since"], "--config", str(one.config), check=False)
    for subject in ("large", "small"):
        one.cli("held", "release", by_subject[subject], "--config", str(one.config))
    wait_for(lambda: len(subjects(hop)) == 3, "what was released")
    assert sorted(subjects(hop)) == ["large", "left-since", "small"], "each once"
    one.cli("log", "verify", "--config", str(one.config))
    shown = one.cli("log", "query", "--config", str(one.config), "--json", "--kind", "restored").stdout
    assert len([json.loads(line) for line in shown.splitlines()]) == 4, "one for each mail, one for all"
    postgres.drop(again)


def test_a_sqlite_store_is_sent_to_the_other_verb(tmp_path: Path, hop: NextHop) -> None:
    gw = Gateway(tmp_path, hop.port)
    gw.write()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "sekisho.db").touch()
    said = gw.cli("restored", "--config", str(gw.config), check=False)
    assert (said.returncode, "sekisho restore puts" in said.stderr) == (1, True)
